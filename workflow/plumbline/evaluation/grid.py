"""What every checkpoint of a model scored on the same items, side by side: one measure a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from plumbline.evaluation.closed_book import Answer
from plumbline.evaluation.items import check_same
from plumbline.evaluation.long_form import WIN_RATE
from plumbline.records import Item

# The measure that stands for a task is the first of these that it has, else its first one: exact
# match, MC1, accuracy, FActScore without length penalty, win rate.
HEADLINE = ("em", "mc1", "acc", "factscore", "win")


class Place(NamedTuple):
    """A task in one domain."""

    task: str
    domain: str


@dataclass(frozen=True)
class Grid:
    """The values of one place's items, by checkpoint and seed (0: the base).

    Arrays are as long as `ids` and in their order; NaN where the measure is not defined, such as
    FActScore of a response without claims.
    """

    metric: str
    ids: list[str]
    clusters: list[str]
    values: dict[str, dict[int, np.ndarray]]

    def pair(self, first: str, second: str) -> tuple[np.ndarray, np.ndarray]:
        """The values of two checkpoints that can be compared, item by item, NaN where none can.

        An item is one unit, whatever the number of seeds: its value is the mean over those seeds
        of `first` at which both have one. `second` is taken at the same seed, the base at its only.
        """
        mine, theirs = self.values[first], self.values[second]
        one = np.array(list(mine.values()))
        other = np.array([theirs[seed if seed in theirs else 0] for seed in mine])
        both = ~(np.isnan(one) | np.isnan(other))
        with np.errstate(invalid="ignore"):  # 0 / 0 is NaN
            return tuple(np.where(both, v, 0).sum(axis=0) / both.sum(axis=0) for v in (one, other))

    def difference(self, first: str, second: str) -> np.ndarray:
        """`first` minus `second`, item by item, NaN where they cannot be compared."""
        one, other = self.pair(first, second)
        return one - other


Grids = Mapping[Place, Grid]
Measured = dict[str, tuple[str, dict[str, float]]]  # by item: its cluster and its metrics


@dataclass
class Gatherer:
    """Takes the measured items of a model's checkpoints, file by file, and makes grids of them."""

    found: dict[Place, dict[tuple[str, int], Measured]] = field(default_factory=dict)

    def add(self, checkpoint: str, seed: int, items: Iterable[Item | Answer]) -> None:
        """Take the items of one checkpoint at one seed."""
        for item in items:
            if isinstance(item, Answer):
                task, cluster, metrics = item.task, item.subject, {"em": float(item.correct)}
            else:
                task, cluster, metrics = item.task, item.cluster, item.metrics
            place = self.found.setdefault(Place(task, item.domain), {})
            place.setdefault((checkpoint, seed), {})[item.id] = cluster, metrics

    def grids(self, baseline: str | None, seeds: Iterable[int]) -> dict[Place, Grid]:
        """The grid of every place.

        baseline: the checkpoint that win rates compare with. It is not compared with itself; its
        win rate is one half by definition, at all its `seeds`. InputError when two checkpoints were
        not measured on the same items.
        """
        measures = {
            task: measure_of(
                name
                for place, columns in self.found.items()
                if place.task == task
                for measured in columns.values()
                for _, metrics in measured.values()
                for name in metrics
            )
            for task in {place.task for place in self.found}
        }
        grids = {}
        for place, columns in self.found.items():
            (first, _), measured = next(iter(columns.items()))
            ids, metric = sorted(measured), measures[place.task]
            values: dict[str, dict[int, np.ndarray]] = {}
            for (checkpoint, seed), own in columns.items():
                check_same(checkpoint, own, first, measured)
                column = [own[one][1].get(metric, np.nan) for one in ids]
                values.setdefault(checkpoint, {})[seed] = np.array(column, float)
            if place.task == WIN_RATE and baseline and baseline not in values:
                values[baseline] = {seed: np.full(len(ids), 0.5) for seed in seeds}
            grids[place] = Grid(metric, ids, [measured[one][0] for one in ids], values)
        return grids


def measure_of(names: Iterable[str]) -> str:
    """The measure that stands for a task with these metrics."""
    present = dict.fromkeys(names)
    return next((one for one in HEADLINE if one in present), next(iter(present), ""))
