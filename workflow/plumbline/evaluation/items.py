"""Measures of single items (a question, an answer, a text), and their table rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plumbline.evaluation.statistics import Estimate, paired_difference, share
from plumbline.files import InputError
from plumbline.records import Item, Metric


def item_metrics(
    items: Sequence[Item],
    base_items: Sequence[Item] | None,
    *,
    model: str,
    seed: int,
    checkpoint: str,
    parent: str,
    confidence: float,
    resamples: int,
) -> Iterator[Metric]:
    """Mean rows of every task, domain and metric, and `<metric>_vs_base` paired differences.

    Over all items (category All), and by category where items name others. Intervals: Wilson's
    where all values are 0 or 1, else a bootstrap of clusters. `base_items` are the base's items;
    InputError when they are not the same ones. A difference is over the items that both have the
    metric of, as its n says: what is undefined for one side has nothing to be compared with. The
    base itself gets no differences, nor does a task that the base has no items of (None).
    """
    common = {"model": model, "seed": seed, "checkpoint": checkpoint, "parent": parent}
    bootstrap = {"confidence": confidence, "resamples": resamples}
    versus = checkpoint != "base" and base_items is not None
    of_base = _counterparts(items, base_items, checkpoint) if versus else {}
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
        if both := [item for item in group if versus and metric in of_base[item.id].metrics]:
            found[f"{metric}_vs_base"] = paired_difference(
                [item.metrics[metric] for item in both],
                [of_base[item.id].metrics[metric] for item in both],
                [item.cluster for item in both],
                **bootstrap,
            )
        for name, estimate in found.items():
            yield _row(estimate, task=task, domain=domain, category=category, metric=name, **common)


def _counterparts(items: Sequence[Item], base: Sequence[Item], checkpoint: str) -> dict[str, Item]:
    """The base's items by id; InputError unless both were measured on the same ones."""
    of_base = {item.id: item for item in base}
    if different := of_base.keys() ^ {item.id for item in items}:
        name = min(different)
        has, lacks = ("base", checkpoint) if name in of_base else (checkpoint, "base")
        raise InputError(
            f"{has} was measured on item {name}, {lacks} was not; differences need the same items "
            f"of both. Evaluate both again on the same questions."
        )
    return of_base


def _row(estimate: Estimate, **where) -> Metric:
    return Metric(
        **where,
        split="test",
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
    )
