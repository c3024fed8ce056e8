"""Measures of single items (a question, an answer, a text), and their table rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from sys import intern
from typing import NamedTuple

import numpy as np

from plumbline.evaluation.estimation import difference, effective_size, mean
from plumbline.evaluation.statistics import Estimate, share
from plumbline.evaluation.tables import Metric
from plumbline.records import Item
from plumbline.storage.files import InputError


class ItemScores(NamedTuple):
    """The parts of an item that tables need; every checkpoint has them for every item."""

    id: str
    task: str
    domain: str
    category: str
    cluster: str
    metrics: dict[str, float]

    @classmethod
    def of(cls, item: Item) -> ItemScores:
        names = item.id, item.task, item.domain, item.category, item.cluster
        return cls(*map(intern, names), item.metrics)


Measured = Item | ItemScores
Trainings = Sequence[Sequence[Measured]]  # one list per seed, of the same items


def item_metrics(
    trainings: Trainings,
    base: Sequence[Measured] | None,
    of_parent: Trainings | None = None,
    *,
    model: str,
    seed: int | None,
    checkpoint: str,
    parent: str,
    confidence: float,
) -> Iterator[Metric]:
    """Mean rows of every task, domain and metric, with paired differences `<metric>_vs_base` and
    `<metric>_vs_parent`.

    trainings: the items of one seed, or of all seeds: then the intervals include the spread between
    seeds, and `seed` is None. Rows are over all items (category All), and by category if items name
    others. `base`, `of_parent`: items of the base, and by seed of the parent if that is a different
    checkpoint; InputError when they are not the same items. A difference is over the items for which
    both have the metric, as its n says. The base itself gets no differences, nor does a task of
    which the other side has no items (None).
    """
    others: dict[str, Trainings] = {}
    if checkpoint != "base" and base is not None:
        others["base"] = [base] * len(trainings)
    if checkpoint != "base" and of_parent is not None:
        others["parent"] = of_parent
    names = {"base": "base", "parent": parent}
    mine = _by_id(trainings, checkpoint, trainings[0], checkpoint)
    tasks = {item.task for item in trainings[0]}  # the others may be asked in more forms
    theirs = {
        against: _by_id(
            [[item for item in of_seed if item.task in tasks] for of_seed in items],
            names[against],
            trainings[0],
            checkpoint,
        )
        for against, items in others.items()
    }
    groups: dict[tuple[str, str, str, str], dict[str, str]] = {}
    for item in (item for items in trainings for item in items):
        for category in dict.fromkeys(("All", item.category)):
            for metric in item.metrics:
                key = item.task, item.domain, category, metric
                groups.setdefault(key, {})[item.id] = item.cluster
    for (task, domain, category, metric), clusters in groups.items():
        ids, names = list(clusters), list(clusters.values())
        values = _matrix(mine, ids, metric)
        estimates = {metric: _mean(values, names, confidence)}
        for against, items in theirs.items():
            of_other = _matrix(items, ids, metric)
            if not np.isnan(values - of_other).all():
                estimated = difference(values, of_other, names)
                estimates[f"{metric}_vs_{against}"] = estimated.estimate(confidence)
        for name, estimate in estimates.items():
            yield Metric(
                model=model,
                seed=seed,
                checkpoint=checkpoint,
                parent=parent,
                task=task,
                domain=domain,
                split="test",
                category=category,
                metric=name,
                **vars(estimate),
            )


def _by_id(
    trainings: Trainings, name: str, like: Sequence[Measured], checkpoint: str
) -> list[dict[str, Measured]]:
    """The items of each seed by id; InputError unless they are the checkpoint's own."""
    by_id = [{item.id: item for item in items} for items in trainings]
    for items in by_id:
        check_same(checkpoint, [item.id for item in like], name, items)
    return by_id


def _matrix(
    trainings: Sequence[dict[str, Measured]], ids: Sequence[str], metric: str
) -> np.ndarray:
    """Seeds × items, NaN if an item does not have the metric."""
    rows = [[items[name].metrics.get(metric, np.nan) for name in ids] for items in trainings]
    return np.array(rows, float)


def _mean(values: np.ndarray, clusters: Sequence[str], confidence: float) -> Estimate:
    """With Wilson's interval if the answers of one training are right or wrong."""
    of_answers = len(values) == 1 and set(values[0]) <= {0, 1}
    if of_answers and (effective := effective_size(values[0], clusters)):
        return share(int(values.sum()), values.size, confidence, effective)
    return mean(values, clusters).estimate(confidence)


def check_same(first: str, ids: Collection[str], second: str, others: Collection[str]) -> None:
    """InputError unless two checkpoints, given by name, were measured on the same items."""
    if different := set(ids) ^ set(others):
        name = min(different)
        has, lacks = (second, first) if name in set(others) else (first, second)
        raise InputError(
            f"{has} was measured on item {name}, {lacks} was not; differences need the same items "
            f"of both. Evaluate both again on the same questions."
        )
