"""What tuning gains in and out of the domain, all tasks taken together; the study over losses.

The gain of a checkpoint in a domain is the mean, over the domain's tasks, of its mean difference
to another checkpoint: each task counts alike, however many items it has. Its interval comes from
samples of whole clusters within each task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plumbline.evaluation.closed_book import TASKS
from plumbline.evaluation.comparisons import others_of
from plumbline.evaluation.grid import Grids
from plumbline.evaluation.statistics import bootstrap_means, estimated
from plumbline.names import parts, variant
from plumbline.records import Record

# Measures that are shares of what is true. The win rate is not: it asks what a judge prefers; nor
# is it known of any other measure that more of it is better.
TRUTH = ("em", "mc1", "acc", "factscore")
# Closed-book questions are one task and count once: few-shot, which shows every checkpoint the form.
# What is gained in a form that only one of the two was tuned in is mostly the form.
OTHER_FORMS = [task for form, task in TASKS.items() if form != "few_shot"]
DOMAINS = ("id", "ood")
BOTH, AVERAGE, PARENT, GENERAL = "both", "average", "parent", "general-only"


@dataclass(frozen=True)
class Gains:
    """The gains of several pairs of checkpoints over the same tasks, one column a pair."""

    tasks: list[str]
    values: np.ndarray  # pairs
    draws: np.ndarray  # resamples × pairs
    n: np.ndarray  # pairs: items that both have the measure of

    def mean(self, columns: Sequence[int]) -> Gains:
        """One pair: the mean of these, on the same items."""
        columns = list(columns)
        return Gains(
            self.tasks,
            self.values[columns].mean(keepdims=True),
            self.draws[:, columns].mean(axis=1, keepdims=True),
            self.n[columns].min(keepdims=True),
        )

    def figures(self, column: int, confidence: float) -> dict:
        """value, low, high, n and tasks of a pair, as a row of a table has them."""
        n, value = int(self.n[column]), float(self.values[column])
        estimate = estimated(value, self.draws[:, column], n, confidence)
        return vars(estimate) | {"tasks": " ".join(self.tasks)}


def gains(grids: Grids, pairs: Sequence[tuple[str, str]], resamples: int) -> dict[str, Gains]:
    """By domain, what each pair's first checkpoint gains over its second.

    Over the tasks measured by a share of what is true that every pair can be compared in, so that
    one pair's gain can be set beside another's. A domain without such a task is absent; where both
    are there, `both` is the mean of the two.
    """
    found = {}
    for domain in DOMAINS:
        tasks = []
        for place, grid in grids.items():
            if place.domain != domain or grid.metric not in TRUTH or place.task in OTHER_FORMS:
                continue
            if any(name not in grid.values for pair in pairs for name in pair):
                continue
            columns = np.stack([grid.difference(*pair) for pair in pairs], axis=1)
            if np.isnan(columns).all(axis=0).any():
                continue
            # Tasks are sampled independently of each other.
            draws = bootstrap_means(
                columns,
                grid.clusters,
                resamples=resamples,
                seed=[len(tasks), DOMAINS.index(domain)],
            )
            tasks.append((place.task, np.nanmean(columns, axis=0), draws, columns))
        if tasks:
            found[domain] = Gains(
                [task for task, *_ in tasks],
                np.mean([values for _, values, *_ in tasks], axis=0),
                np.mean([draws for _, _, draws, _ in tasks], axis=0),
                np.sum([(~np.isnan(columns)).sum(axis=0) for *_, columns in tasks], axis=0),
            )
    if len(found) == len(DOMAINS):
        one, other = found.values()
        found[BOTH] = Gains(
            list(dict.fromkeys(one.tasks + other.tasks)),
            (one.values + other.values) / 2,
            (one.draws + other.draws) / 2,
            one.n + other.n,
        )
    return found


class GainRow(Record):
    """The gain of a checkpoint over another one: a fraction, with the tasks it is over."""

    model: str
    checkpoint: str
    against: str
    other: str
    domain: str
    tasks: str
    value: float
    low: float
    high: float
    n: int


def gain_rows(
    model: str, grids: Grids, parents: Mapping[str, str], *, confidence: float, resamples: int
) -> Iterator[GainRow]:
    """Every checkpoint over the base, over the tasks that all have; and over its full sibling."""
    pairs: dict[str, list[tuple[str, str]]] = {}
    for checkpoint, parent in parents.items():
        for against, other in others_of(checkpoint, parent, parents):
            if against != "parent":
                pairs.setdefault(against, []).append((checkpoint, other))
    for against, group in pairs.items():
        for domain, found in gains(grids, group, resamples).items():
            for column, (checkpoint, other) in enumerate(group):
                yield GainRow(
                    model=model,
                    checkpoint=checkpoint,
                    against=against,
                    other=other,
                    domain=domain,
                    **found.figures(column, confidence),
                )


class StudyRow(Record):
    """The gain of a method over its parent, or over general preferences alone, under one loss.

    `loss` is `average` for the mean over all losses, `domain` is `both` for the mean of the two.
    """

    model: str
    method: str
    percent: float
    loss: str
    domain: str
    against: str
    tasks: str
    value: float
    low: float
    high: float
    n: int


STUDIED = re.compile(r"atomic-(\d+(?:\.\d+)?)\.(\w+)")


def study_rows(
    model: str, grids: Grids, parents: Mapping[str, str], *, confidence: float, resamples: int
) -> Iterator[StudyRow]:
    """The study over losses: checkpoints `apeft.atomic-<per cent>.<loss>`.

    Each against its parent, and those with atomic preferences against those with general ones
    alone (0 per cent) under the same loss; all over the same tasks. Where there are several losses,
    their mean as well, taken on the same samples of items.
    """
    cases: list[tuple[str, float, str, str]] = []  # method, per cent, loss, against
    pairs: list[tuple[str, str]] = []
    for checkpoint, parent in parents.items():
        method, kept, rest = parts(checkpoint)
        if method != "apeft" or not (found := STUDIED.fullmatch(rest)):
            continue
        method, percent, loss = variant(method, kept), float(found[1]), found[2]
        cases.append((method, percent, loss, PARENT))
        pairs.append((checkpoint, parent))
        general = f"{method}.atomic-0.{loss}"
        if percent and general in parents:
            cases.append((method, percent, loss, GENERAL))
            pairs.append((checkpoint, general))
    if not pairs:
        return
    groups: dict[tuple[str, float, str], list[int]] = {}
    for column, (method, percent, _, against) in enumerate(cases):
        groups.setdefault((method, percent, against), []).append(column)
    for domain, found in gains(grids, pairs, resamples).items():
        for (method, percent, against), columns in groups.items():
            about = dict(
                model=model, method=method, percent=percent, against=against, domain=domain
            )
            for column in columns:
                loss = cases[column][2]
                yield StudyRow(loss=loss, **about, **found.figures(column, confidence))
            if len(columns) > 1:
                figures = found.mean(columns).figures(0, confidence)
                yield StudyRow(loss=AVERAGE, **about, **figures)
