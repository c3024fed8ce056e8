"""The names of what the report shows of the method."""

from __future__ import annotations

from plumbline.report.parts import Columns, Report

REPORT = Report(
    tables={
        "apeft_pairs": Columns("model set item state", "seed n", lambda config: config.apeft),
        "study": Columns("model method loss domain against tasks", "percent value low high n"),
    },
    chapter="plumbline.methods.apeft.chapter",
)
