"""The report's section on self-consistency: votes, and how often the majority is right."""

from __future__ import annotations

import pandas as pd

from plumbline.methods.consistency.table import (
    ALL,
    ANSWERS,
    KEPT,
    PAIRS,
    QUESTIONS,
    RIGHT,
    RIGHT_DIFFERENCE,
    SHARE,
)
from plumbline.report.blocks import (
    Block,
    Cell,
    Prose,
    Table,
    bracketed,
    count,
    difference,
    named,
    number,
    percent,
    signed,
)
from plumbline.report.labels import variant_label
from plumbline.report.parts import Chapter, Page
from plumbline.report.tables import Run

SOURCES = (
    "From the papers: an answer that a model gives again and again is right more often than others "
    "(self-consistency, Wang et al. 2023). So the most consistent of several sampled answers can be "
    "preferred to the least consistent one without any gold answer, if it has enough votes (ScPO, "
    "Prasad et al. 2024).",
    "Ours: questions ask for facts, in a few words and without reasoning; answers count as one if "
    "they are the same after the normalisation of exact match; a tie for the majority gives no pair; "
    "one round of plain DPO, without the paper's weighting of pairs by votes, its likelihood term, "
    "its further rounds and its new problems.",
)


def pairs(run: Run) -> list[Block]:
    """The pairs of each training file with their truth, and all reasons for drops."""
    table = run.tables.consistency_pairs
    if table.empty:
        return []
    words, rows, reasons = [], [], []
    for (model, variant, seed), part in table.groupby(
        ["model", "variant", "seed"], sort=False, dropna=False
    ):
        rows_by_name = {(row.item, row.state): row for row in part.itertuples()}
        which = [variant_label(variant)] if table.variant.nunique() > 1 else []
        which += [f"seed {seed:.0f}"] if table.seed.nunique() > 1 else []
        words.append(_told(named(table, model, *which), rows_by_name))
        whose = [Cell(model), Cell(variant_label(variant), sort=variant), number(seed)]
        rows.append(
            [
                *whose,
                *(
                    number(rows_by_name[place].value)
                    for place in ((QUESTIONS, ALL), (ANSWERS, ALL), (PAIRS, KEPT))
                ),
                *(_share(rows_by_name[PAIRS, state]) for state in (SHARE, *RIGHT.values())),
                difference(*_estimate(rows_by_name[PAIRS, RIGHT_DIFFERENCE])),
            ]
        )
        reasons += [
            [*whose, Cell(item), Cell(state), number(row.value)]
            for (item, state), row in rows_by_name.items()
            if state not in (ALL, KEPT, SHARE, *RIGHT.values(), RIGHT_DIFFERENCE)
        ]
    heads = ["model", "training file", "seed"]
    return [
        Prose(words),
        Table(
            "Pairs by votes. Right: the side equals an accepted answer to the question, in per cent "
            "of the pairs; the difference is in points. Gold answers are read only for this table. "
            "Without a seed: the base's answers, which all seeds train on.",
            [*heads, *(QUESTIONS, ANSWERS, PAIRS), SHARE, *RIGHT.values(), "difference"],
            rows,
        ),
        Table(
            "Why questions, answers and pairs were left out.",
            [*heads, "item", "reason", "n"],
            reasons,
            folded=True,
        ),
        Prose(SOURCES, "The papers' part and ours"),
    ]


def _told(whose: str, rows: dict) -> str:
    chosen, rejected = (rows[PAIRS, state] for state in RIGHT.values())
    gap = rows[PAIRS, RIGHT_DIFFERENCE]
    interval = "" if pd.isna(gap.low) else f"{signed(100 * gap.low)} to {signed(100 * gap.high)}"
    text = (
        f"{count(rows[QUESTIONS, ALL].value)} questions gave {count(rows[PAIRS, KEPT].value)} "
        f"pairs; the majority's answer is right in {percent(chosen.value)} % of them and the "
        f"minority's in {percent(rejected.value)} %, a difference of {signed(100 * gap.value)} "
        f"points{bracketed(interval)}."
    )
    return f"{whose}: {text}" if whose else text


def _share(row) -> Cell:
    interval = "" if pd.isna(row.low) else f"{percent(row.low)}–{percent(row.high)}"
    return number(row.value, percent(row.value), interval)


def _estimate(row) -> tuple[float, float, float]:
    return row.value, row.low, row.high


TERMS = {
    "Self-consistency preferences": """
        A model is asked the training questions several times. If its answers differ, the one it
        gives most often is preferred to the one it gives most rarely (Wang et al. 2023; Prasad et
        al. 2024, ScPO; the variant here is ours). No gold answer is read: if a model is mostly
        wrong, it is tuned towards its errors. The table of pairs says how often that is so.""",
}


def spoken(variant: str, rest: str) -> str | None:
    """`dpo` as `the model tuned by self-consistency`."""
    return f"the model tuned by {variant[:1].lower()}{variant[1:]}" if rest == "dpo" else None


CHAPTER = Chapter(
    asks={
        "gain over the parent": (
            "Is the model more often right once it prefers what it mostly answers?"
        ),
    },
    spoken=spoken,
    pages=[Page("consistency", "Self-consistency: pairs by votes", pairs, "consistency_pairs.csv")],
    terms=TERMS,
)
