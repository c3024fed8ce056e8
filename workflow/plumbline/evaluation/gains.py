"""What tuning gains in and out of the domain, over all tasks together.

The gain of a checkpoint in a domain is the mean, over the domain's tasks, of its mean difference to
another checkpoint: tasks have equal weights, however many items they have. Its interval includes the
spread of the clusters within each task, and that of the seeds over all tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from plumbline.config.closed_book import ENDINGS
from plumbline.evaluation.comparisons import others_of
from plumbline.evaluation.estimation import weighted_difference
from plumbline.evaluation.grid import Grids
from plumbline.evaluation.tables import GainRow

# Measures that are shares of what is true. The win rate is not, as it is about what a judge prefers;
# and for other measures it is not known that more is better.
TRUTH = ("em", "mc1", "acc", "f1")
# A set of closed-book questions is one task and counts once: with few-shot examples, which show every
# checkpoint the form. Gains in a form that only one of the two was tuned in are mostly due to form.
OTHER_FORMS = tuple(ending for ending in ENDINGS.values() if ending)
DOMAINS = ("id", "ood")
BOTH, PARENT = "both", "parent"


@dataclass(frozen=True)
class TaskDifferences:
    """A task's part of a gain: differences (seeds × items) of each pair, and the items' clusters."""

    task: str
    differences: list[np.ndarray]
    clusters: list[str]
    weight: float


@dataclass(frozen=True)
class Gains:
    """The gains of several pairs of checkpoints over the same tasks."""

    parts: list[TaskDifferences]

    def figures(self, pairs: Sequence[int], confidence: float) -> dict:
        """value, low, high, n and tasks of the mean of these pairs, as in a row of a table."""
        values = [
            (np.mean([part.differences[pair] for pair in pairs], axis=0), part.clusters)
            for part in self.parts
        ]
        difference = weighted_difference(values, [part.weight for part in self.parts])
        tasks = " ".join(dict.fromkeys(part.task for part in self.parts))
        return vars(difference.estimate(confidence)) | {"tasks": tasks}


def gains(grids: Grids, pairs: Sequence[tuple[str, str]]) -> dict[str, Gains]:
    """By domain, what each pair's first checkpoint gains over its second.

    Tasks are those whose measure is a share of what is true and that every pair can be compared in, so
    that the pairs' gains can be compared. A domain without such a task is absent; if both domains have
    some, `both` is the mean of the two.
    """
    by_domain = {}
    for domain in DOMAINS:
        tasks = []
        for place, grid in grids.items():
            if place.domain != domain or grid.metric not in TRUTH:
                continue
            if grid.metric == "em" and place.task.endswith(OTHER_FORMS):
                continue
            if not grid.has(name for pair in pairs for name in pair):
                continue
            columns = [np.subtract(*grid.pair(*pair)) for pair in pairs]
            if not any(np.isnan(column).all(axis=1).any() for column in columns):
                tasks.append((place.task, columns, grid.clusters))
        if tasks:
            by_domain[domain] = Gains([TaskDifferences(*task, 1 / len(tasks)) for task in tasks])
    if len(by_domain) == len(DOMAINS):
        parts = [part for gain in by_domain.values() for part in gain.parts]
        by_domain[BOTH] = Gains([replace(part, weight=part.weight / 2) for part in parts])
    return by_domain


def gain_rows(
    model: str, grids: Grids, parents: Mapping[str, str], *, confidence: float
) -> Iterator[GainRow]:
    """Every checkpoint over the base, over the tasks that all have, and over its full sibling."""
    pairs: dict[str, list[tuple[str, str]]] = {}
    for checkpoint, parent in parents.items():
        for against, other in others_of(checkpoint, parent, parents):
            if against != "parent":
                pairs.setdefault(against, []).append((checkpoint, other))
    for against, group in pairs.items():
        for domain, gain in gains(grids, group).items():
            for column, (checkpoint, other) in enumerate(group):
                yield GainRow(
                    model=model,
                    checkpoint=checkpoint,
                    against=against,
                    other=other,
                    domain=domain,
                    **gain.figures([column], confidence),
                )
