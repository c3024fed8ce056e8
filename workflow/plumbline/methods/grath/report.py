"""The names of the method's parts of the report."""

from __future__ import annotations

from plumbline.methods.grath.tables import TABLES
from plumbline.report.parts import Figure, Report

REPORT = Report(
    tables=TABLES,
    figures={
        "grath_rounds": Figure("MC1 and MC2 by round of GRATH", "grath_rounds", "GRATH"),
        "grath_similarity": Figure(
            "Similarity of correct and incorrect answers by round", "grath_rounds", "GRATH"
        ),
    },
    chapter="plumbline.methods.grath.chapter",
)
