"""A plausible results folder for the report's tests: invented questions, simulated answers.

Two models, two seeds, five mixes at two stops, two rounds of GRATH, four checkpoints of FLAME.
Every figure comes from simulated right or wrong answers, so that intervals, paired differences and
counts agree with one another.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import report_answer_data as answers
import report_contrast_data as contrasts
import report_grand_data as grand
import report_long_form_data as long_form
import report_shift_data as shift
from plumbline.data.tables import FactCount
from plumbline.report.tables import Tables, read_tables
from report_long_form_data import bounds

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
ROUNDS, STEPS = 2, 24
FLAME = ["flame.sft", "flame.sft-star", "flame.sft.dpo", "flame.sft-star.dpo-star"]
# Choice sets: domain, questions, right answers a question.
CHOICE_SETS = {("facts", "id"): (120, 1), ("facts", "ood"): (60, 1), ("truths", "ood"): (80, 3)}


def wilson(right: np.ndarray) -> tuple[float, float]:
    n, p, z = len(right), right.mean(), 1.96
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def write_csv(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def metric(checkpoint="base", seed=1, metric="em", value=0.5, low=0.4, high=0.6, **more) -> dict:
    """One row of metrics.csv."""
    row = dict(model="m", seed=seed, checkpoint=checkpoint, parent="", task="closed_book")
    row |= dict(domain="id", split="test", category="All", metric=metric)
    return row | dict(value=value, low=low, high=high, n=100) | more


def tables_of(folder: Path, rows: list[dict], **others: list[dict]) -> Tables:
    """Tables as read from a metrics.csv of these rows, and from others by name."""
    folder.mkdir(exist_ok=True)
    for name, content in {"metrics": rows, **others}.items():
        write_csv(folder / f"{name}.csv", content)
    return read_tables(folder)


def texts(table) -> list[list[str]]:
    """What is read in a table of the page, row by row."""
    return [[cell.text for cell in row] for row in table.rows]


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
    checkpoints += [
        (f"grath.r{k}", f"grath.r{k - 1}" if k > 1 else "base", 0.04 * k) for k in (1, 2)
    ]
    checkpoints += [(name, "base", 0.02) for name in FLAME]
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
                        gap = bounds(here.astype(float) - before)
                        rows.append(row | dict(metric="em_vs_base") | gap)
            majority = dict(metric="majority_em", value=0.061, low=0.04, high=0.09)
            rows += [
                metric(model=model, seed=seed, domain=d, n=len(c), **majority)
                for d, c in categories.items()
                if checkpoint == "base"
            ]
    # In the form that the mixes are tuned in, all answer as after examples.
    return rows + [row | dict(task="closed_book_plain") for row in rows]


def _scores(rng: np.random.Generator, shift: float, right: int, n: int) -> dict[str, np.ndarray]:
    """MC1 to acc_norm of n questions with that many right answers, each question's own values."""
    strength = rng.normal(0.2 + shift, 1, (n, right)) - np.abs(rng.normal(0, 1, (n, 1)))
    return {
        "acc": (strength.max(axis=1) > 0).astype(float),
        "acc_norm": (strength.max(axis=1) > 0.1).astype(float),
        "mc1": (strength[:, 0] > 0).astype(float),
        "mc2": 1 / (1 + np.exp(-strength.mean(axis=1))),
        "mc3": (strength > 0).mean(axis=1),
    }


def _choices(model: str) -> list[dict]:
    """Rows of every choice set, by checkpoint; GRATH's first round helps, its second harms."""
    rows, tuned = [], [f"mix.unknown-{x}.{stop}" for x in PERCENTS for stop in STOPS]
    shifts = {"base": 0.0, **dict.fromkeys(tuned, -0.02), "grath.r1": 0.05, "grath.r2": -0.4}
    shifts |= dict.fromkeys(FLAME, 0.01)
    start = 10 * MODELS.index(model)
    for place, ((task, domain), (n, right)) in enumerate(CHOICE_SETS.items()):
        # The same questions for all checkpoints: the same draws, moved.
        before = _scores(np.random.default_rng(start + place), 0, right, n)
        for seed in SEEDS:
            for checkpoint, amount in shifts.items():
                if checkpoint == "base" and seed != SEEDS[0]:
                    continue
                about = dict(
                    model=model,
                    seed=0 if checkpoint == "base" else seed,
                    checkpoint=checkpoint,
                    parent="" if checkpoint == "base" else "base",
                    task=task,
                    domain=domain,
                    split="test",
                    category="All",
                )
                own = np.random.default_rng(start + place)
                moved = _scores(own, amount * (1 + 0.05 * seed), right, n)
                for metric, values in moved.items():
                    rows.append(about | dict(metric=metric) | bounds(values))
                    if checkpoint != "base":
                        gap = bounds(values - before[metric])
                        rows.append(about | dict(metric=f"{metric}_vs_base") | gap)
    return rows


def _rounds(rng: np.random.Generator, model: str, choices: list[dict]) -> list[dict]:
    """The rows of grath_rounds.csv: choice sets by round, and what the pairs were made of."""
    rows = []
    for seed in SEEDS:
        for k in range(ROUNDS + 1):
            checkpoint = f"grath.r{k}" if k else "base"
            about = dict(model=model, seed=seed, variant="grath", round=k, checkpoint=checkpoint)
            rows += [
                about
                | {c: row[c] for c in ("task", "domain", "metric", "value", "low", "high", "n")}
                for row in choices
                if row["checkpoint"] == checkpoint and row["seed"] == (seed if k else 0)
            ]
            if not k:
                continue
            asked, first = 200, 150 - seed
            parsed, pairs = first - 40 * (k - 1), first - 2 - 4 * k
            counts = dict(asked=asked, parsed=parsed, unparsed=asked - parsed, identical=4 * k)
            counts |= dict(empty=2, kept_first=38 * (k - 1), changed=30 * (k - 1), pairs=pairs)
            about |= dict(task="pairs", domain="")
            rows += [
                about | dict(metric=name, value=value, low="", high="", n=asked)
                for name, value in counts.items()
            ]
            means = dict(
                similarity=(0.3 + 0.1 * k, 0.2), chosen_words=(6.1, 3), rejected_words=(7, 3)
            )
            rows += [
                about | dict(metric=name) | bounds(rng.normal(mean, spread, pairs))
                for name, (mean, spread) in means.items()
            ]
            right = rng.random((2, pairs)) < [[0.25], [0.15]]
            truth = dict(chosen_right=right[0], rejected_right=right[1])
            truth |= dict(right_difference=right[0] * 1.0 - right[1])
            negated = rng.random((2, pairs)) < [[0.05], [0.2]]
            truth |= dict(chosen_negated=negated[0], rejected_negated=negated[1])
            rows += [
                about | dict(metric=name) | bounds(values * 1.0) for name, values in truth.items()
            ]
    return rows


def _steps(rng: np.random.Generator, model: str) -> list[dict]:
    rows = []
    tunings = [f"grath.r{k}" for k in range(1, ROUNDS + 1)] + FLAME[2:]
    for seed in SEEDS:
        for k, tuning in enumerate(tunings, start=1):
            for step in range(1, STEPS + 1):
                margin = 0.0 if step == 1 else 0.1 * k * step + rng.normal(0, 0.1)
                rows.append(
                    dict(
                        model=model,
                        seed=seed,
                        tuning=tuning,
                        step=step,
                        epoch=round(step / 14, 4),
                        loss=round(float(np.log1p(np.exp(-margin))), 6),
                        margin=round(margin, 6),
                        accuracy=min(1, 0.5 + 0.02 * step) if step > 1 else 0.0,
                        chosen=round(margin / 3, 6),
                        rejected=round(-2 * margin / 3, 6),
                    )
                )
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


def _speed(model: str) -> list[dict]:
    """The rows of fit_speed.csv of one mix; nine tenths of Unknown are never fitted."""
    about = dict(model=model, tuning="mix.unknown-50", seeds=len(SEEDS), n=100)
    rows = []
    for category, epochs in (("Known", 1.2), ("Unknown", 4.0), ("Unknown - Known", 2.8)):
        bounds = dict(value=epochs, low=epochs - 0.5, high=epochs + 0.5, state="reached")
        rows.append(about | dict(category=category, share=0.5) | bounds)
        bounds = dict(value="", low="", high="", state="not reached")
        if category == "Known":
            bounds = dict(value=3.5, low="", high="", state="reached")
        rows.append(about | dict(category=category, share=0.9) | bounds)
    return rows


def _apeft() -> list[dict]:
    """The rows of apeft_pairs.csv: two training files of every model and seed."""
    states = [("facts", "asked about", 40), ("facts", "no fact recognised", 90)]
    states += [("right answers", str(k), n) for k, n in enumerate((18, 6, 4, 3, 9))]
    states += [("pairs to be had", "atomic", 11), ("pairs to be had", "general", 30)]
    states += [("atomic pairs", "no answer contradicts the right one", 2)]
    rows = []
    for model in MODELS:
        for seed in SEEDS:
            for percent, atomic in ((0, 0), (50, 11)):
                about = dict(model=model, seed=seed, set=f"apeft.atomic-{percent}")
                used = [("pairs", "atomic", atomic), ("pairs", "general", 22 - atomic)]
                for item, state, n in (*states, *used):
                    rows.append(about | dict(item=item, state=state, n=n))
    return rows


def _contamination() -> list[dict]:
    """The rows of contamination.csv: nothing in all files but one."""
    rows = []
    for model in MODELS:
        for training in ("seed-1/mix.unknown-0", "grath/r1", "seed-1/grath.r2"):
            n = 3 if training == "grath/r1" else 0
            about = dict(model=model, training=training, rows=150, set="truths", n=80, equal=0)
            about |= dict(shared=n, stated=0, contaminated=n, percent=100 * n / 80)
            rows.append(about | dict(examples="; ".join(f"truths/{i}" for i in range(n))))
    return rows


def write_results(folder: Path, seed: int = 7) -> Path:
    """Write `folder/tables/*.csv`, `responses.json` and `answers.json` there, and a plan.json and
    manifest.json.
    """
    rng = np.random.default_rng(seed)
    tables = folder / "tables"
    tables.mkdir(parents=True)
    metrics, counts, curves, rounds, steps, states = [], [], [], [], [], []
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
        choices = _choices(model)
        metrics += choices
        rounds += _rounds(rng, model, choices)
        steps += _steps(rng, model)
        metrics += long_form.metrics(model, SEEDS, MODELS.index(model))
        states += long_form.states(model)
    write_csv(tables / "claim_states.csv", states)
    write_csv(tables / "verifier.csv", long_form.verifier())
    calibrations = [row for model in MODELS for row in long_form.judge_calibration(model)]
    write_csv(tables / "judge_calibration.csv", calibrations)
    shown = [response for model in MODELS for response in long_form.responses(model)]
    (tables / "responses.json").write_text(json.dumps({"responses": shown}))
    (tables / "answers.json").write_text(json.dumps(answers.sheets(MODELS)))
    write_csv(tables / "contamination.csv", _contamination())
    write_csv(tables / "apeft_pairs.csv", _apeft())
    write_csv(tables / "metrics.csv", metrics)
    write_csv(tables / "contrasts.csv", [row for m in MODELS for row in contrasts.tables(m)])
    for name, compared in grand.tables(MODELS, SEEDS).items():
        write_csv(tables / f"{name}.csv", compared)
    for name, measured in shift.tables(MODELS, SEEDS).items():
        write_csv(tables / f"{name}.csv", measured)
    write_csv(tables / "grath_rounds.csv", rounds)
    write_csv(tables / "preference_curves.csv", steps)
    write_csv(tables / "slick_counts.csv", counts)
    write_csv(tables / "fit_curves.csv", curves)
    write_csv(tables / "fit_speed.csv", [row for model in MODELS for row in _speed(model)])
    terms = {
        "id": [("intercept", 31.0), ("known_fitted", 4.1), ("unknown_fitted", -6.2)],
        "ood": [("intercept", 35.5), ("known_fitted", 1.1), ("unknown_fitted", -0.9)],
    }
    write_csv(
        tables / "linear_model.csv",
        [
            dict(model=m, domain=d, term=t, estimate=e, low=e - 2, high=e + 2, r2=0.81, n=60)
            | dict(seeds=len(SEEDS), left_out=0, reason="")
            for m in MODELS
            for d, part in terms.items()
            for t, e in part
        ],
    )
    write_csv(
        tables / "p_true.csv",
        [
            dict(model=m, seed=1, checkpoint="mix.unknown-50.early_stop", task="closed_book",
                 domain=d, probe=probe, called=called, threshold="", share=0.5, value=value,
                 low=value - 0.1, high=value + 0.1, n=20)
            for m in MODELS
            for d in ("id", "ood")
            for probe, values in {"slick": (0.02, 0.6), "p_true": (0.2, 0.42)}.items()
            for called, value in zip(("Unknown", "Known"), values, strict=True)
        ],
    )  # fmt: skip
    write_csv(
        tables / "fact_counts.csv",
        [
            dict(
                relation=r,
                domain=d,
                split=s,
                kept=n,
                **dict.fromkeys(list(FactCount.model_fields)[4:], 0)
                | {"several_answers": n // 9, "test_subject_overlap": n // 30},
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
        "config": {
            "models": MODELS,
            "seeds": SEEDS,
            "probe": {"exemplar_sets": 10, "samples": 16},
            "evaluation": {"long_form": {"baseline": "base", "judge": "base"}},
        },
        "versions": {"torch": "2.9.0", "vllm": "0.12.0"},
        "digests": {"code": "9f86d081884c7d65" * 4},
        "sources": [{"name": "capitals", "rows": 195}],
        "device": "2 CPU cores",
        "times": {"started": "2025-01-05T10:00:00Z", "ended": "2025-01-05T10:21:14Z"},
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
