"""The scores of all checkpoints of a model on the same items, side by side."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

import numpy as np

from plumbline.evaluation.items import check_same
from plumbline.evaluation.long_form import WIN_RATE
from plumbline.records import Item
from plumbline.storage.files import read_unique_rows

# A task's main measure is the first of these that it has, otherwise its own first one: exact match,
# MC1, accuracy, F1@K, win rate.
HEADLINE = ("em", "mc1", "acc", "f1", "win")


class TaskDomain(NamedTuple):
    """A task in one domain."""

    task: str
    domain: str


@dataclass(frozen=True)
class Grid:
    """The values of the items of one task and domain, by metric, checkpoint and seed (0: the base).

    Arrays are in the order of `ids`, with NaN where the measure is not defined, such as MC1 of a
    question without one true choice. `metric` is the task's main measure.
    """

    metric: str
    ids: list[str]
    clusters: list[str]
    measured: dict[str, dict[str, dict[int, np.ndarray]]]

    @property
    def values(self) -> dict[str, dict[int, np.ndarray]]:
        """Values of the task's main measure."""
        return self.measured[self.metric]

    def pair(self, first: str, second: str, metric: str = "") -> tuple[np.ndarray, np.ndarray]:
        """The values (seeds × items) of two checkpoints by a metric (by default the main measure).

        NaN on both sides where they cannot be compared. The seeds are those of the side that has
        more; the other side's values are of the same seed, or for the base of its only one.
        """
        values = self.measured[metric or self.metric]
        mine, theirs = values[first], values[second]
        seeds = max(mine, theirs, key=len)
        ours, other = (
            np.array([side.get(seed, side.get(0)) for seed in seeds]) for side in (mine, theirs)
        )
        both = ~(np.isnan(ours) | np.isnan(other))
        return np.where(both, ours, np.nan), np.where(both, other, np.nan)

    def has(self, checkpoints: Iterable[str], metric: str = "") -> bool:
        """Whether all of these checkpoints were measured by the metric."""
        return set(checkpoints) <= set(self.measured.get(metric or self.metric, ()))


def mean_over(values: np.ndarray) -> float:
    """The mean over seeds of the means over items, for seeds × items, ignoring NaN."""
    defined = values[~np.isnan(values).all(axis=1)]
    return float(np.nanmean(defined, axis=1).mean())


Grids = Mapping[TaskDomain, Grid]


@dataclass(frozen=True)
class Columns:
    """A checkpoint's scores on one task and domain, stored compactly, as there may be hundreds."""

    ids: list[str] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)
    metrics: dict[str, array] = field(default_factory=dict)  # missing at the end: NaN

    def add(self, item: Item) -> None:
        self.ids.append(intern(item.id))  # all checkpoints have the same ids
        self.clusters.append(intern(item.cluster))
        for name, value in item.metrics.items():
            column = self.metrics.setdefault(name, array("d"))
            column.extend([np.nan] * (len(self.ids) - 1 - len(column)))
            column.append(value)

    def rows(self) -> dict[str, int]:
        """The row of every item in the columns."""
        return {name: row for row, name in enumerate(self.ids)}

    def values(self, metric: str, rows: np.ndarray) -> np.ndarray:
        """The items in these rows; NaN if an item does not have the metric."""
        values, column = np.full(len(self.ids), np.nan), self.metrics.get(metric, ())
        values[: len(column)] = column
        return values[rows]


@dataclass
class Gatherer:
    """Collects the measured items of a model's checkpoints, file by file, and makes grids of them."""

    found: dict[TaskDomain, dict[tuple[str, int], Columns]] = field(default_factory=dict)

    def add(self, checkpoint: str, seed: int, items: Iterable[Item]) -> None:
        """Add the items of one checkpoint at one seed."""
        items = list(items)
        if not any(item.metrics for item in items):
            return  # nothing could be measured, such as wins without a usable judge
        for item in items:
            place = self.found.setdefault(TaskDomain(item.task, item.domain), {})
            place.setdefault((checkpoint, seed), Columns()).add(item)

    def grids(self, baseline: str | None, seeds: Iterable[int]) -> dict[TaskDomain, Grid]:
        """The grid of every task and domain.

        baseline: the checkpoint that win rates compare with. It is not compared with itself; its win
        rate is one half by definition, at all its `seeds`. InputError when two checkpoints were not
        measured on the same items.
        """
        measures = {
            task: measure_of(
                name
                for place, columns in self.found.items()
                if place.task == task
                for scores in columns.values()
                for name in scores.metrics
            )
            for task in {place.task for place in self.found}
        }
        grids = {}
        for place, columns in self.found.items():
            (first, _), own = next(iter(columns.items()))
            at, metric = own.rows(), measures[place.task]
            ids = sorted(at)
            names = {name for scores in columns.values() for name in scores.metrics}
            values: dict[str, dict[str, dict[int, np.ndarray]]] = {}
            for (checkpoint, seed), scores in columns.items():
                of_its = scores.rows()
                check_same(checkpoint, of_its, first, at)
                rows = np.array([of_its[name] for name in ids])
                for name in names | {metric}:
                    by_seed = values.setdefault(name, {}).setdefault(checkpoint, {})
                    by_seed[seed] = scores.values(name, rows)
            if place.task == WIN_RATE and baseline and baseline not in values[metric]:
                values[metric][baseline] = {seed: np.full(len(ids), 0.5) for seed in seeds}
            grids[place] = Grid(metric, ids, [own.clusters[at[name]] for name in ids], values)
        return grids


def read_grids(
    root: Path, checkpoints: Iterable[Mapping[str, Any]], baseline: str | None = None
) -> Iterator[tuple[str, Grids, dict[str, str]]]:
    """Each model's name, its grids, and the parents of its checkpoints, by name.

    checkpoints: rows of the run's list: model, seed, checkpoint, parent, and the scored files in its
    folder. baseline: as for `Gatherer.grids`.
    """
    models: dict[str, list[Mapping[str, Any]]] = {}
    for row in checkpoints:
        models.setdefault(row["model"], []).append(row)
    for model, rows in models.items():
        gatherer = Gatherer()
        for row in rows:
            for name in row["scored"]:
                items = read_unique_rows(root / row["folder"] / name, Item)
                gatherer.add(row["checkpoint"], row["seed"], items)
        seeds = [row["seed"] for row in rows if row["checkpoint"] == baseline]
        parents = {row["checkpoint"]: row["parent"] for row in rows}
        yield model, gatherer.grids(baseline, seeds), parents


def measure_of(names: Iterable[str]) -> str:
    """The main measure of a task with these metrics."""
    present = dict.fromkeys(names)
    return next((metric for metric in HEADLINE if metric in present), next(iter(present), ""))
