"""The names of what the report shows of the method."""

from __future__ import annotations

from plumbline.report.parts import Columns, Figure, Report

REPORT = Report(
    tables={
        "grath_rounds": Columns(
            "model variant checkpoint task domain metric",
            "seed round value low high n",
            lambda config: config.grath,
        ),
    },
    figures={
        "grath_rounds": Figure("MC1 and MC2 by round of GRATH", "grath_rounds", "GRATH"),
        "grath_similarity": Figure(
            "Similarity of correct and incorrect answers by round", "grath_rounds", "GRATH"
        ),
    },
    chapter="plumbline.methods.grath.chapter",
)
