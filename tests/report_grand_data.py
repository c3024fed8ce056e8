"""Comparisons, gains and a study for the report's tests: simulated items, really compared."""

from __future__ import annotations

import numpy as np
from plumbline.evaluation.comparisons import compare
from plumbline.evaluation.gains import gain_rows
from plumbline.evaluation.grid import Gatherer
from plumbline.methods.apeft.study import study_rows
from plumbline.records import Item

TASKS = {"closed_book": ("em", {"id": 90, "ood": 60}), "facts": ("mc1", {"id": 120, "ood": 60})}
TASKS |= {"truths": ("mc1", {"ood": 80})}
HOW = dict(confidence=0.95)
# How much of what the base gets right is lost, and of what it gets wrong is gained; the parent.
CHECKPOINTS = {
    "base": (0.0, 0.0, ""),
    "mix.unknown-0.early_stop": (0.1, 0.1, "base"),
    "mix.unknown-0.convergence": (0.1, 0.08, "base"),
    "mix.unknown-50.early_stop": (0.15, 0.08, "base"),
    "mix.unknown-50.convergence": (0.3, 0.05, "base"),
    "grath.r1": (0.03, 0.05, "base"),
    "grath.r2": (0.2, 0.0, "grath.r1"),
    "grath-unknown-0.r1": (0.03, 0.06, "base"),
    "grath-unknown-0.r2": (0.05, 0.05, "grath-unknown-0.r1"),
    "flame.sft": (0.05, 0.05, "base"),
    "flame.sft.dpo": (0.06, 0.06, "flame.sft"),
    **{
        f"apeft.atomic-{percent}.{loss}": (0.04, 0.04 + percent / 400, "base")
        for percent in (0, 50)
        for loss in ("sigmoid", "ipo")
    },
}


def grid_of(columns: dict[str, dict[int, list[Item]]], baseline: str | None = None):
    """The grids of items by checkpoint and seed."""
    gatherer = Gatherer()
    for checkpoint, by_seed in columns.items():
        for seed, items in by_seed.items():
            gatherer.add(checkpoint, seed, items)
    return gatherer.grids(baseline, [0])


def item(name: str, value: float | None, task="t", domain="id", metric="mc1", cluster="") -> Item:
    """An item; one without a value has the metric not defined."""
    metrics = {} if value is None else {metric: value}
    cluster = cluster or name
    return Item(id=f"{task}/{domain}/{name}", task=task, domain=domain, cluster=cluster,
                metrics=metrics)  # fmt: skip


def items(values, **more) -> list[Item]:
    """Items 0, 1, … of one task and domain."""
    return [item(str(place), value, **more) for place, value in enumerate(values)]


def tables(models: list[str], seeds: list[int]) -> dict[str, list[dict]]:
    """Rows of comparisons.csv, gains.csv and study.csv."""
    found: dict[str, list] = {"comparisons": [], "gains": [], "study": []}
    parents = {name: parent for name, (*_, parent) in CHECKPOINTS.items()}
    for model in models:
        rng, columns = np.random.default_rng(models.index(model)), {}
        before = {
            (task, domain): rng.random(n) < 0.4
            for task, (_, domains) in TASKS.items()
            for domain, n in domains.items()
        }
        for name, (lost, gained, _) in CHECKPOINTS.items():
            for seed in [0] if name == "base" else seeds:
                columns.setdefault(name, {})[seed] = [
                    one
                    for (task, domain), right in before.items()
                    for one in items(
                        np.where(right, rng.random(len(right)) >= lost,
                                 rng.random(len(right)) < gained).astype(float),
                        task=task, domain=domain, metric=TASKS[task][0],
                    )
                ]  # fmt: skip
        grids = grid_of(columns)
        found["comparisons"] += compare(model, grids, parents, **HOW)
        found["gains"] += gain_rows(model, grids, parents, **HOW)
        found["study"] += study_rows(model, grids, parents, **HOW)
    return {name: [row.model_dump() for row in rows] for name, rows in found.items()}
