"""The report's section on whether the judges of a run can be trusted, tested on known pairs."""

from __future__ import annotations

import pandas as pd

from plumbline.report.blocks import Block, Cell, Prose, Table, count, measured, number, percent
from plumbline.report.labels import checkpoint_label
from plumbline.report.tables import Run

USES = {"win_rate": "win rates", "helpfulness": "pairs by helpfulness"}
NONE = "no usable judge"


def called(judge: str) -> str:
    """A judge's name in a sentence."""
    return "the base" if judge == "base" else checkpoint_label(judge)


def finding(row) -> str:
    """How often a judge is right, from a row of judge_calibration.csv of kind All."""
    return (
        f"{called(row.judge)} is right about {percent(row.right, 0)} % "
        f"({percent(row.low, 0)}–{percent(row.high, 0)} %) of {count(row.n)} pairs"
    )


def unusable(table: pd.DataFrame, use: str, model: str) -> list:
    """The rows of kind All of a model's judges that failed, of one use."""
    rows = table[(table.use == use) & (table.model == model)]
    return [*rows[(rows.kind == "All") & (rows.usable == "no")].itertuples()]


def judges(run: Run) -> list[Block]:
    table = run.tables.judge_calibration
    if table.empty:
        return []
    lines = [
        f"For {USES[row.use]}, {finding(row)}: "
        f"{'it is used' if row.usable == 'yes' else 'it is not used'}."
        for row in table[table.kind == "All"].itertuples()
    ]
    rows = [
        [
            Cell(row.model),
            number(row.seed),
            Cell(called(row.judge), sort=row.judge),
            Cell(USES[row.use]),
            Cell(row.kind),
            measured(row),
            number(row.n),
        ]
        for row in table.assign(value=table.right, metric="right").itertuples()
    ]
    caption = (
        "The test of judges: how often a person's answer is rated above a worse one, over both orders "
        "if two are compared, in percent with 95 % intervals; a tie counts one half. A judge below "
        "75 % over all pairs is not used."
    )
    heads = ["model", "seed", "judge", "for", "against", "right %", "pairs"]
    return [Prose(lines, "The judges"), Table(caption, heads, rows, folded=True)]
