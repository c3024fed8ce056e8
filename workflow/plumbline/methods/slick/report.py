"""The names of what the report shows of the method."""

from __future__ import annotations

from plumbline.report.parts import Columns, Figure, Report

REPORT = Report(
    tables={
        "slick_counts": Columns("model relation domain split category", "n"),
        "fit_curves": Columns(
            "model tuning part domain category stop", "seed unknown_percent epoch value low high n"
        ),
        "fit_speed": Columns("model tuning category state", "share value low high n seeds"),
        "linear_model": Columns(
            "model domain term reason", "estimate low high r2 n seeds left_out"
        ),
        "p_true": Columns(
            "model checkpoint task domain probe called",
            "seed threshold share value low high n",
            lambda config: config.slick.p_true and config.mixes.names(),
        ),
    },
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
