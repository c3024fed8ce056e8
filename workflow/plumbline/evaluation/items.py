"""Measures of single items (a question, an answer, a text), and their table rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol, TypeVar

from plumbline.evaluation.statistics import Estimate, paired_difference, share
from plumbline.files import InputError
from plumbline.records import Item, Metric


class Identified(Protocol):
    id: str


One = TypeVar("One", bound=Identified)


def item_metrics(
    items: Sequence[Item],
    base_items: Sequence[Item] | None,
    parent_items: Sequence[Item] | None = None,
    *,
    model: str,
    seed: int,
    checkpoint: str,
    parent: str,
    confidence: float,
    resamples: int,
) -> Iterator[Metric]:
    """Mean rows of every task, domain and metric, with paired differences `<metric>_vs_base` and
    `<metric>_vs_parent`.

    Over all items (category All), and by category where items name others. Intervals: Wilson's
    where all values are 0 or 1, else a bootstrap of clusters. `base_items`, `parent_items`: those
    of the base, and of the parent where that is another checkpoint; InputError when they are not
    the same ones. A difference is over the items that both have the metric of, as its n says: what
    is undefined for one side has nothing to be compared with. The base itself gets no differences,
    nor does a task that the other side has no items of (None).
    """
    common = {"model": model, "seed": seed, "checkpoint": checkpoint, "parent": parent}
    bootstrap = {"confidence": confidence, "resamples": resamples}
    others = versus(items, base_items, parent_items, checkpoint=checkpoint, parent=parent)
    groups: dict[tuple[str, str, str, str], list[Item]] = {}
    for item in items:
        for category in dict.fromkeys(("All", item.category)):
            for metric in item.metrics:
                key = item.task, item.domain, category, metric
                groups.setdefault(key, []).append(item)
    for (task, domain, category, metric), group in groups.items():
        values = [item.metrics[metric] for item in group]
        clusters = [item.cluster for item in group]
        if set(values) <= {0, 1}:
            found = {metric: share(int(sum(values)), len(values), confidence)}
        else:
            found = {metric: paired_difference(values, [0] * len(values), clusters, **bootstrap)}
        for against, theirs in others.items():
            if both := [item for item in group if metric in theirs[item.id].metrics]:
                found[f"{metric}_vs_{against}"] = paired_difference(
                    [item.metrics[metric] for item in both],
                    [theirs[item.id].metrics[metric] for item in both],
                    [item.cluster for item in both],
                    **bootstrap,
                )
        for name, estimate in found.items():
            yield _row(estimate, task=task, domain=domain, category=category, metric=name, **common)


def versus(
    items: Sequence[One],
    base_items: Sequence[One] | None,
    parent_items: Sequence[One] | None,
    *,
    checkpoint: str,
    parent: str,
) -> dict[str, dict[str, One]]:
    """What a checkpoint is compared with: the items by id of `base` and of `parent`, where there
    are any. InputError unless all were measured on the same items.
    """
    others = {"base": ("base", base_items), "parent": (parent, parent_items)}
    found: dict[str, dict[str, One]] = {}
    for against, (name, theirs) in others.items():
        if checkpoint != "base" and theirs is not None:
            found[against] = {item.id: item for item in theirs}
            check_same(checkpoint, [item.id for item in items], name, found[against])
    return found


def check_same(first: str, ids: Collection[str], second: str, others: Collection[str]) -> None:
    """InputError unless two checkpoints, given by name, were measured on the same items."""
    if different := set(ids) ^ set(others):
        name = min(different)
        has, lacks = (second, first) if name in set(others) else (first, second)
        raise InputError(
            f"{has} was measured on item {name}, {lacks} was not; differences need the same items "
            f"of both. Evaluate both again on the same questions."
        )


def _row(estimate: Estimate, **where) -> Metric:
    return Metric(
        **where,
        split="test",
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
    )
