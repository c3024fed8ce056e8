"""What tuning gains in and out of the domain, all tasks taken together.

The gain of a checkpoint in a domain is the mean, over the domain's tasks, of its mean difference
to another checkpoint: each task counts alike, however many items it has. Its interval has the
spread of the clusters within each task, and that of the seeds over all of them.
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

# Measures that are shares of what is true. The win rate is not: it asks what a judge prefers; nor
# is it known of any other measure that more of it is better.
TRUTH = ("em", "mc1", "acc", "f1")
# A set of closed-book questions is one task and counts once: few-shot, which shows every checkpoint
# the form. What is gained in a form that only one of the two was tuned in is mostly the form.
OTHER_FORMS = tuple(ending for ending in ENDINGS.values() if ending)
DOMAINS = ("id", "ood")
BOTH, PARENT = "both", "parent"


@dataclass(frozen=True)
class TaskDifferences:
    """A task's part in a gain: differences (seeds × items) of each pair, and the items' clusters."""

    task: str
    differences: list[np.ndarray]
    clusters: list[str]
    weight: float


@dataclass(frozen=True)
class Gains:
    """The gains of several pairs of checkpoints over the same tasks."""

    parts: list[TaskDifferences]

    def figures(self, pairs: Sequence[int], confidence: float) -> dict:
        """value, low, high, n and tasks of the mean of these pairs, as a row of a table has them."""
        values = [
            (np.mean([part.differences[pair] for pair in pairs], axis=0), part.clusters)
            for part in self.parts
        ]
        difference = weighted_difference(values, [part.weight for part in self.parts])
        tasks = " ".join(dict.fromkeys(part.task for part in self.parts))
        return vars(difference.estimate(confidence)) | {"tasks": tasks}


def gains(grids: Grids, pairs: Sequence[tuple[str, str]]) -> dict[str, Gains]:
    """By domain, what each pair's first checkpoint gains over its second.

    Over the tasks measured by a share of what is true that every pair can be compared in, so that
    one pair's gain can be set beside another's. A domain without such a task is absent; where both
    are there, `both` is the mean of the two.
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
    """Every checkpoint over the base, over the tasks that all have; and over its full sibling."""
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
