"""Measures of single items (a question, an answer, a text), and their table rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from plumbline.evaluation.statistics import Estimate, paired_difference, share
from plumbline.files import InputError
from plumbline.records import Domain, Metric, NonEmpty, Record


class Item(Record):
    """What was measured on one item of a task, for one checkpoint."""

    id: NonEmpty = Field(description="The same for every checkpoint; differences are paired by it.")
    task: NonEmpty
    domain: Domain
    category: NonEmpty = "All"
    cluster: NonEmpty = Field(description="Items of one cluster are not independent, e.g. subject.")
    metrics: dict[NonEmpty, float] = Field(description="By name; one that says nothing is absent.")


def item_metrics(
    items: Sequence[Item],
    base_items: Sequence[Item],
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
    InputError when they are not the same ones. The base itself gets no differences.
    """
    common = {"model": model, "seed": seed, "checkpoint": checkpoint, "parent": parent}
    bootstrap = {"confidence": confidence, "resamples": resamples}
    versus = checkpoint != "base"
    of_base = _paired(items, base_items, checkpoint) if versus else {}
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
        if versus:
            before = [of_base[item.id].metrics[metric] for item in group]
            found[f"{metric}_vs_base"] = paired_difference(values, before, clusters, **bootstrap)
        for name, estimate in found.items():
            yield _row(estimate, task=task, domain=domain, category=category, metric=name, **common)


def _paired(items: Sequence[Item], base: Sequence[Item], checkpoint: str) -> dict[str, Item]:
    """The base's items by id, each with the metrics of its counterpart."""
    of_base = {item.id: item for item in base}
    measured = {(item.id, metric) for item in items for metric in item.metrics}
    before = {(item.id, metric) for item in base for metric in item.metrics}
    if measured != before:
        name, metric = min(measured ^ before)
        has, lacks = ("base", checkpoint) if (name, metric) in before else (checkpoint, "base")
        raise InputError(
            f"{has} was measured by {metric} on item {name}, {lacks} was not; differences need "
            f"the same items of both. Evaluate both again on the same questions."
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
