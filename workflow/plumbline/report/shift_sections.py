"""The report's section on how tuning shifts the distribution of tokens (Lin et al. 2023; Yuan et al.
2024, APEFT).
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from plumbline.report.blocks import (
    Block,
    Cell,
    Picture,
    Prose,
    Table,
    capital,
    count,
    named,
    number,
    percent,
    signed,
)
from plumbline.report.labels import checkpoint_label
from plumbline.report.tables import Run, over_seeds

ALL = "All"
KEYS = ["model", "tuned", "reference"]
CLASSES = ("unshifted", "marginal", "shifted")
COLUMNS = {
    **{name: name for name in CLASSES},
    "shifted_macro": "shifted, by answer",
    "own_first": "own likeliest",
    "ended": "ended",
    "end_shifted": "ends shifted",
}
LISTED = 8  # tokens shown per pair
RULE = (
    "The rule is ours. Under-aligned: the interval of the shifted share out of domain lies below "
    "that in domain, and the whole interval of the change of the claims' F1 out of domain lies within "
    "±{margin} points. Over-aligned: the interval out of domain lies above that in domain, and the "
    "whole interval of the change lies below zero. Everything else is inconclusive, above all "
    "intervals that overlap."
)


def pair_label(tuned: str, reference: str) -> str:
    return f"{checkpoint_label(tuned)} against {checkpoint_label(reference)}"


def short_label(table: pd.DataFrame, tuned: str, reference: str) -> str:
    """The tuned checkpoint's label, with the reference if there are several references."""
    several = table[table.tuned == tuned].reference.nunique() > 1
    return pair_label(tuned, reference) if several else checkpoint_label(tuned)


def shares(run: Run) -> list[Block]:
    table, verdicts = run.tables.token_shift, run.tables.token_shift_verdicts
    if table.empty:
        return []
    margin = " or ".join(dict.fromkeys(f"{100 * value:g}" for value in verdicts.margin))
    words = [
        "The tuned model answers greedily, and each token of its answers is ranked in the "
        "reference's distribution: unshifted is the likeliest, marginal the second or third, "
        "shifted any other.",
        *_verdicts(verdicts),
        RULE.format(margin=margin),
    ]
    return [
        Prose(words),
        Picture(
            "token_shift",
            "Shares of shifted, marginal and unshifted tokens in and out of domain, with the 95 % "
            "interval of the shifted share.",
        ),
        _shares(table),
        Picture(
            "token_shift_positions",
            "Share of shifted tokens by their position in the answer, with 95 % intervals.",
        ),
        *_tokens(run.tables.token_shift_tokens),
    ]


def _verdicts(verdicts: pd.DataFrame) -> Iterator[str]:
    """A sentence per pair and seed."""
    several = verdicts.seed[verdicts.seed > 0].nunique() > 1
    for row in verdicts.itertuples():
        seed = f", seed {row.seed:.0f}" if several else ""
        which = named(verdicts, row.model, f"{pair_label(row.tuned, row.reference)}{seed}")
        numbers = [
            f"shifted {_share(row.id_shifted, row.id_low, row.id_high)} in domain",
            f"{_share(row.ood_shifted, row.ood_low, row.ood_high)} out of it",
            f"change of the claims' F1 out of it {_change(row)}",
        ]
        yield f"{which}: {row.verdict} by the rule below. {capital(row.reason)} ({', '.join(numbers)})."


def _share(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "not known"
    interval = "" if pd.isna(low) else f" [{percent(low)}–{percent(high)}]"
    return f"{percent(value)} %{interval}"


def _change(row) -> str:
    if pd.isna(row.change):
        return "not known"
    points = [signed(100 * value) for value in (row.change, row.change_low, row.change_high)]
    interval = "" if pd.isna(row.change_low) else f" [{points[1]} to {points[2]}]"
    return f"{points[0]} points{interval}, n = {count(row.change_n)}"


def _shares(table: pd.DataFrame) -> Table:
    means = over_seeds(table[table.position == ALL], [*KEYS, "domain", "metric"])
    rows = []
    for (model, tuned, reference, domain), part in means.groupby([*KEYS, "domain"], sort=False):
        by_metric = {row.metric: row for row in part.itertuples()}
        pair = Cell(checkpoint_label(tuned), f"against {checkpoint_label(reference)}", tuned)
        counts = [by_metric.get(name) for name in ("ended", "shifted")]
        cells = [number(counted.n) if counted else Cell("–") for counted in counts]
        rows.append([
            Cell(model), pair, Cell(domain.upper()), *cells,
            *[_measured(by_metric.get(metric)) for metric in COLUMNS],
        ])  # fmt: skip
    caption = (
        "Tokens of greedy answers by their rank under the reference, in percent; below each is the "
        "95 % interval over the prompts. Shifted, by answer: the mean of the answers' own shares, with "
        "equal weights for long and short answers. Own likeliest: tokens that the tuned model itself "
        "ranks first; what is missing to 100 % is rounding between the engine that wrote and the one "
        "that measures, and as many tokens may look shifted because of it. Ended: answers not cut off "
        "by the token limit; their end is a token that is counted in the last column "
        "alone."
    )
    if (means.seeds > 1).any():
        caption += f" Means of {means.seeds.max():.0f} seeds."
    return Table(
        caption,
        ["model", "checkpoint", "domain", "answers", "tokens", *COLUMNS.values()],
        rows,
        [("", 5), ("tokens, %", 5), ("ends, %", 2)],
    )


def _measured(row) -> Cell:
    """A share in percent, with its interval below."""
    if row is None:
        return Cell("–")
    interval = "" if pd.isna(row.low) else f"{percent(row.low)}–{percent(row.high)}"
    return number(row.value, percent(row.value), interval)


def _tokens(tokens: pd.DataFrame) -> Iterator[Block]:
    if tokens.empty:
        return
    total = tokens.groupby([*KEYS, "token"], sort=False, as_index=False)[["shifted", "n"]].sum()
    rows = []
    for (model, tuned, reference), part in total.groupby(KEYS, sort=False):
        for shown in part.sort_values("shifted", ascending=False, kind="stable")[
            :LISTED
        ].itertuples():
            pair = pair_label(tuned, reference)
            token = shown.token.replace(" ", "␣").replace("\n", "↵")
            rows.append(
                [Cell(model), Cell(pair), Cell(token), number(shown.shifted), number(shown.n)]
            )
    yield Table(
        "The tokens that are most often shifted (␣ is a space, ↵ a line's end).",
        ["model", "checkpoints", "token", "times shifted", "times said"],
        rows,
        folded=True,
    )
