"""A plausible results folder for the report's tests: invented questions, simulated answers.

Two models, two seeds, five mixes at two stops. Every figure comes from simulated right or wrong
answers, so that intervals, paired differences and counts agree with one another.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

CATEGORIES = ["HighlyKnown", "MaybeKnown", "WeaklyKnown", "Unknown"]
BASE_RIGHT = np.array([0.97, 0.55, 0.08, 0.01])
RELATIONS = {
    "country_capital": ("id", 120, [0.45, 0.25, 0.15, 0.15]),
    "element_symbol": ("id", 90, [0.35, 0.25, 0.20, 0.20]),
    "country_currency": ("id", 110, [0.15, 0.30, 0.25, 0.30]),
    "airport_city": ("id", 160, [0.02, 0.12, 0.26, 0.60]),
    "country_continent": ("ood", 100, [0.40, 0.35, 0.15, 0.10]),
    "language_family": ("ood", 80, [0.10, 0.20, 0.00, 0.70]),
}
MODELS, SEEDS, PERCENTS, EPOCHS = ["tiny-135m", "small-360m"], [1, 2], [0, 25, 50, 75, 100], 12
STOPS = {"early_stop": 4, "convergence": EPOCHS}


def wilson(right: np.ndarray) -> tuple[float, float]:
    n, p, z = len(right), right.mean(), 1.96
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def write_csv(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _metrics(rng: np.random.Generator, model: str, categories: dict[str, np.ndarray]) -> list[dict]:
    """Closed-book rows of one model: all seeds and checkpoints, by domain and category."""
    rows, lift = [], 0.1 * MODELS.index(model)
    chance = {
        d: np.clip(BASE_RIGHT + lift * (BASE_RIGHT > 0), 0, 1)[c] for d, c in categories.items()
    }
    base = {d: rng.random(len(p)) < p for d, p in chance.items()}
    checkpoints = [("base", "", 0.0)] + [
        (f"mix.unknown-{x}.{stop}", "base", x / 100 * (0.03 if stop == "early_stop" else 0.25))
        for x in PERCENTS
        for stop in STOPS
    ]
    for seed in SEEDS:
        for checkpoint, parent, harm in checkpoints:
            for domain, known in categories.items():
                loss = harm * (1 if domain == "id" else 0.4)
                flip = rng.random(len(known)) < 0.08
                right = np.where(flip, rng.random(len(known)) < chance[domain], base[domain])
                right = right & (rng.random(len(known)) >= loss)
                if checkpoint == "base":
                    right = base[domain]
                for category in ["All", *CATEGORIES]:
                    mask = slice(None) if category == "All" else known == CATEGORIES.index(category)
                    here, before = right[mask], base[domain][mask]
                    row = dict(
                        model=model,
                        seed=seed,
                        checkpoint=checkpoint,
                        parent=parent,
                        task="closed_book",
                        domain=domain,
                        split="test",
                        category=category,
                    )
                    low, high = wilson(here)
                    rows.append(
                        row | dict(metric="em", value=here.mean(), low=low, high=high, n=len(here))
                    )
                    if parent:
                        gap = here.astype(float) - before
                        half = 1.96 * gap.std() / np.sqrt(len(gap))
                        rows.append(
                            row
                            | dict(
                                metric="em_vs_base",
                                value=gap.mean(),
                                low=gap.mean() - half,
                                high=gap.mean() + half,
                                n=len(gap),
                            )
                        )
            rows += [
                dict(
                    model=model,
                    seed=seed,
                    checkpoint="base",
                    parent="",
                    task="closed_book",
                    domain=d,
                    split="test",
                    category="All",
                    metric="majority_em",
                    value=0.061,
                    low=0.04,
                    high=0.09,
                    n=len(c),
                )
                for d, c in categories.items()
                if checkpoint == "base"
            ]
    return rows


def _curves(rng: np.random.Generator, model: str) -> list[dict]:
    rows = []
    for seed in SEEDS:
        for x in PERCENTS:
            for epoch in range(EPOCHS + 1):
                stop = "+".join(
                    name
                    for name, at in STOPS.items()
                    if at + (name == "early_stop") * (seed - 1) == epoch
                )
                fit = {
                    ("train", "Known"): (0.45 + 0.55 * (1 - np.exp(-epoch / 1.5)), 100 - x),
                    ("train", "Unknown"): (1 / (1 + np.exp(5 - epoch)), x),
                    ("dev", "All"): (0.3 + 0.08 * epoch * np.exp(-epoch / 4), 100),
                }
                for (part, category), (value, n) in fit.items():
                    if n:
                        value = float(np.clip(value + rng.normal(0, 0.01), 0, 1))
                        rows.append(
                            dict(
                                model=model,
                                seed=seed,
                                tuning=f"mix.unknown-{x}",
                                unknown_percent=x,
                                epoch=epoch,
                                part=part,
                                domain="id",
                                category=category,
                                value=value,
                                low=max(0, value - 0.05),
                                high=min(1, value + 0.05),
                                n=n,
                                stop=stop,
                            )
                        )
    return rows


def write_results(folder: Path, seed: int = 7) -> Path:
    """Write `folder/tables/*.csv`, `folder/plan.json` and `folder/manifest.json`."""
    rng = np.random.default_rng(seed)
    tables = folder / "tables"
    tables.mkdir(parents=True)
    metrics, counts, curves = [], [], []
    for model in MODELS:
        categories: dict[str, list] = {"id": [], "ood": []}
        for relation, (domain, n, shares) in RELATIONS.items():
            drawn = rng.choice(4, size=3 * n, p=shares)
            categories[domain] += drawn.tolist()
            for split, part in (("train", drawn[: 2 * n]), ("test", drawn[2 * n :])):
                counts += [
                    dict(
                        model=model,
                        relation=relation,
                        domain=domain,
                        split=split,
                        category=name,
                        n=int((part == i).sum()),
                    )
                    for i, name in enumerate(CATEGORIES)
                ]
        metrics += _metrics(rng, model, {d: np.array(c) for d, c in categories.items()})
        curves += _curves(rng, model)
    write_csv(tables / "metrics.csv", metrics)
    write_csv(tables / "slick_counts.csv", counts)
    write_csv(tables / "fit_curves.csv", curves)
    terms = {
        "id": [("intercept", 31.0), ("known_fitted", 4.1), ("unknown_fitted", -6.2)],
        "ood": [("intercept", 35.5), ("known_fitted", 1.1), ("unknown_fitted", -0.9)],
    }
    write_csv(
        tables / "linear_model.csv",
        [
            dict(model=m, domain=d, term=t, estimate=e, low=e - 2, high=e + 2, r2=0.81, n=60)
            for m in MODELS
            for d, part in terms.items()
            for t, e in part
        ],
    )
    write_csv(
        tables / "fact_counts.csv",
        [
            dict(
                relation=r,
                domain=d,
                split=s,
                kept=n,
                several_answers=n // 9,
                subject_in_test=n // 30,
            )
            for r, (d, n, _) in RELATIONS.items()
            for s in ("train", "dev", "test")
        ],
    )
    write_csv(
        tables / "dropped.csv",
        [
            dict(
                stage="annotate",
                model=MODELS[0],
                seed="",
                item="question",
                reason="no_exemplar_set",
                n=3,
            ),
            dict(
                stage="mixes",
                model=MODELS[-1],
                seed=1,
                item="relation",
                reason="no_highly_known",
                n=1,
            ),
        ],
    )
    stages = {
        "probe": (1200, 410.0, 2100.5),
        "train": (10, 655.2, 3050.0),
        "evaluate": (21, 130.9, 2200.0),
    }
    write_csv(
        tables / "stages.csv",
        [
            dict(stage=s, wall_seconds=w, peak_memory_mib=m, jobs=j)
            for s, (j, w, m) in stages.items()
        ],
    )
    plan = {
        "device": "2 CPU cores",
        "stages": [
            dict(
                stage=s,
                jobs=j,
                prompts=90 * j,
                sequences=900 * j,
                tokens=31000 * j,
                steps=40 * j if s == "train" else 0,
                disk_mib=12.0 * j,
                seconds=w * 0.8,
            )
            for s, (j, w, _) in stages.items()
        ],
    }
    manifest = {
        "config": {"models": MODELS, "seeds": SEEDS, "probe": {"exemplar_sets": 10, "samples": 16}},
        "versions": {"torch": "2.9.0", "vllm": "0.12.0"},
        "digests": {"code": "9f86d081884c7d65" * 4},
        "sources": [{"name": "capitals", "rows": 195}],
        "device": "2 CPU cores",
        "times": {"started": "2025-01-05T10:00:00Z", "ended": "2025-01-05T10:21:14Z"},
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
