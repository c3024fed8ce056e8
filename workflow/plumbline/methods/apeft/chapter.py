"""The report's section on the facts and pairs of APEFT's training files (Yuan et al. 2024)."""

from __future__ import annotations

import pandas as pd

from plumbline.methods.apeft.face import ATOMIC
from plumbline.methods.apeft.study_section import study
from plumbline.report.blocks import Block, Cell, Prose, Table, count, named, number
from plumbline.report.labels import checkpoint_label
from plumbline.report.parts import Chapter, Page
from plumbline.report.tables import Run

# Items of the table; all others are what was dropped.
ASKED, RIGHT, AVAILABLE, USED = "facts", "right answers", "pairs to be had", "pairs"
KINDS = ("atomic", "general")
SOURCES = (
    "From the paper (Yuan et al. 2024): responses are split into single facts, sampled answers show "
    "which of them a model potentially knows, a right and a wrong statement of such a fact make an "
    "atomic pair, and atomic pairs are trained on beside general ones. We do not know its full text, "
    "code or data.",
    "Ours: how a fact becomes a question, what counts as potentially known (more than none and "
    "fewer than all of the sampled answers are right), that the verifier must refute the wrong "
    "statement, which of several answers is taken, the ratio of the two kinds, and all numbers. "
    "General pairs are FactTune's (Tian et al. 2024): two responses to one prompt, of which the one "
    "with the larger share of supported claims is preferred.",
)


def facts_and_pairs(run: Run) -> list[Block]:
    """Facts by what the model knows of them, pairs by kind and training file, and reasons for drops."""
    table = run.tables.apeft_pairs
    if table.empty:
        return []
    words, rows, spread = [], [], []
    for (model, seed), part in table.groupby(["model", "seed"], sort=False):
        # All training files of a seed are about the same questions.
        file = part[part.set == part.set.iloc[0]]
        right = {int(r.state): int(r.n) for r in file[file["item"] == RIGHT].itertuples()}
        groups = by_knowledge(right)
        asked = file[(file["item"] == ASKED) & (file.state == "asked about")].n.sum()
        cells = [Cell(model), number(seed), number(max(right)), number(asked)]
        rows.append([*cells, *map(number, groups)])
        spread += [
            [Cell(model), number(seed), number(k), number(n)] for k, n in sorted(right.items())
        ]
        which = [f"seed {seed:.0f}"] if table.seed.nunique() > 1 else []
        words.append(_told(named(table, model, *which), max(right), groups))
    heads = ["model", "seed", "answers each", "facts asked about"]
    heads += ["unknown", "potentially known", "known throughout"]
    return [
        Prose(words),
        Table(
            "Facts of the responses by what the model knows of them. Unknown: no sampled answer is "
            "right; known throughout: every one is. Only facts in between can become pairs.",
            heads,
            rows,
        ),
        _pairs(table),
        Table(
            "Facts by how many of the sampled answers are right.",
            ["model", "seed", "right answers", "facts"],
            spread,
            folded=True,
        ),
        _reasons(table),
        Prose(SOURCES, "The paper's part and ours"),
    ]


def by_knowledge(right: dict[int, int]) -> tuple[int, int, int]:
    """(unknown, potentially known, known throughout) of the facts, by number of right answers.

    right: for each number of right answers from 0 to S (the answers sampled per fact), how many facts.
    """
    samples = max(right)
    unknown, known = right[0], right[samples]
    return unknown, sum(right.values()) - unknown - known, known


def _told(whose: str, samples: int, groups: tuple[int, int, int]) -> str:
    unknown, potentially, known = groups
    text = (
        f"{count(sum(groups))} facts were asked about, {samples} times each: {count(unknown)} "
        f"are unknown and {count(known)} known throughout, which leaves {count(potentially)} that "
        f"the model potentially knows."
    )
    return f"{whose}: {text}" if whose else text


def _pairs(table: pd.DataFrame) -> Table:
    rows = []
    for (model, seed, name), part in table.groupby(["model", "seed", "set"], sort=False):
        n = {(r.item, r.state): r.n for r in part.itertuples()}
        cells = [number(n.get((item, kind), 0)) for kind in KINDS for item in (AVAILABLE, USED)]
        rows.append([Cell(model), Cell(checkpoint_label(name), sort=name), number(seed), *cells])
    return Table(
        "Pairs that could be made, and those in each training file, in its exact ratio; the losses "
        "share a file.",
        ["model", "training file", "seed", *["to be had", "trained on"] * len(KINDS)],
        rows,
        [("", 3), *[(f"{kind} pairs", 2) for kind in KINDS]],
    )


def _reasons(table: pd.DataFrame) -> Table:
    lost = table[~table["item"].isin([RIGHT, AVAILABLE, USED])]
    lost = lost[lost.state != "asked about"]
    rows = [
        [
            Cell(r.model),
            Cell(checkpoint_label(r.set), sort=r.set),
            number(r.seed),
            Cell(r.item),
            Cell(r.state),
            number(r.n),
        ]
        for r in lost.itertuples()
    ]
    return Table(
        "Why facts, responses and pairs were left out.",
        ["model", "training file", "seed", "item", "reason", "n"],
        rows,
        folded=True,
    )


def spoken(variant: str, rest: str) -> str | None:
    """`atomic-50.sigmoid` as `the model tuned by APEFT on 50 % atomic pairs (sigmoid)`; without any
    atomic pair, `on general pairs only`.
    """
    share = ATOMIC.fullmatch(rest)
    if share is None:
        return None
    pairs = "general pairs only"
    if float(share["percent"]):
        pairs = f"{share['percent']} % atomic pairs"
    loss = f" ({share['loss']})" if share["loss"] else ""
    return f"the model tuned by {variant} on {pairs}{loss}"


CHAPTER = Chapter(
    asks={
        "atomic preferences": "Do preferences about single facts help beyond what is tuned on?",
    },
    spoken=spoken,
    pages=[
        Page("apeft", "APEFT: facts and pairs", facts_and_pairs, "apeft_pairs.csv"),
        Page("study", "Atomic and general preferences, loss by loss", study, "study.csv", True),
    ],
)
