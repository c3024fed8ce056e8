"""The names of the method's parts of the report."""

from __future__ import annotations

from plumbline.methods.slick.tables import TABLES
from plumbline.report.parts import Figure, Report

REPORT = Report(
    tables=TABLES,
    figures={
        "slick_categories": Figure(
            "Share of SliCK categories by relation", "slick_counts", "SliCK"
        ),
        "fit_curves": Figure("Share answered right by epoch and mix", "fit_curves", "SliCK"),
        "accuracy_by_unknown": Figure(
            "Test accuracy by share of Unknown in the mix", "metrics", "SliCK"
        ),
        "linear_model": Figure("Slopes of the linear model", "linear_model", "SliCK"),
    },
    chapter="plumbline.methods.slick.chapter",
)
