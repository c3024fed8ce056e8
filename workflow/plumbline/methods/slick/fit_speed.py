"""How many epochs it takes until half and nearly all of a category is fitted, within one mix.

Gekhman et al. 2024 (sec. 4.3) show that Unknown is fitted later than Known. Here this is a number with
an interval: one sample is a set's own questions, by whole subjects, and another is its trainings with
several seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from plumbline.methods.slick.fitting import MixRun
from plumbline.records import KNOWN, Category

SHARES = (0.5, 0.9)
GROUPS = {"Known": KNOWN, **{str(category): (category,) for category in Category}}
LATER = "Unknown - Known"
AT_ONCE = 100  # samples
REACHED, OPEN = "reached", "not reached"


def fit_speed_rows(runs: list[MixRun], *, confidence: float, resamples: int) -> Iterator[dict]:
    """Rows of fit_speed.csv: epochs to each share, for each category of a mix and for Known together,
    and by how many epochs Unknown comes after Known.

    Values are means over seeds; `state` says whether every seed reached the share. If one did not,
    there is no value: it is only known that it takes more epochs than were trained.
    """
    for model, tuning in dict.fromkeys((run.model, run.tuning) for run in runs):
        same = [run for run in runs if (run.model, run.tuning) == (model, tuning)]
        numbers = {
            category: sum(run.asked("train", categories=members).size for run in same)
            for category, members in GROUPS.items()
        }
        told = [
            category
            for category, n in numbers.items()
            if n and (category not in KNOWN or len(_there(same)) > 1)
        ]
        shares = {category: _shares(same, GROUPS[category]) for category in told}
        samples = _samples(same, [GROUPS[category] for category in told], resamples)
        drawn_shares = dict(zip(told, samples, strict=True))
        for wanted in SHARES:
            about = {"model": model, "tuning": tuning, "share": wanted, "seeds": len(same)}
            drawn: dict[str, tuple[np.ndarray, np.ndarray]] = {}
            for category in told:
                drawn[category] = (
                    np.array([crossings(one, wanted) for one in shares[category]]),
                    np.array([crossings(one, wanted) for one in drawn_shares[category]]),
                )
                row = _row(*drawn[category], numbers[category], confidence)
                if row.get("low") is not None:
                    row["low"] = max(row["low"], 0.0)  # no epoch is before training
                yield about | {"category": category, "n": numbers[category]} | row
            if {"Known", "Unknown"} <= drawn.keys():
                (first, known), (later, unknown) = drawn["Known"], drawn["Unknown"]
                n = sum(run.asked("train").size for run in same)
                row = _row(later - first, unknown - known, n, confidence)
                yield about | {"category": LATER, "n": n} | row


def _there(runs: list[MixRun]) -> set[str]:
    """The Known categories among the sets' questions."""
    return {p.category for run in runs for p in run.probes if p.part == "train"} & set(KNOWN)


def crossings(shares: np.ndarray, wanted: float) -> np.ndarray:
    """When curves first reach a share, in epochs; between two epochs they are straight.

    shares: … × epochs, from epoch 0 on. NaN for a curve that never reaches it.
    """
    above = shares >= wanted
    at = above.argmax(axis=-1)
    before = np.maximum(at - 1, 0)
    high = np.take_along_axis(shares, at[..., None], -1)[..., 0]
    low = np.take_along_axis(shares, before[..., None], -1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        when = np.where(at == 0, 0.0, before + (wanted - low) / (high - low))
    return np.where(above.any(axis=-1), when, np.nan)


def _shares(runs: Sequence[MixRun], categories: Sequence[str]) -> list[np.ndarray]:
    """For each seed, the share of the categories that is right after each epoch; NaN if it has none."""
    found = []
    for run in runs:
        asked = run.asked("train", categories=categories)
        found.append(run.right[:, asked].mean(axis=1) if asked.size else np.full(1, np.nan))
    return found


def _samples(
    runs: Sequence[MixRun], groups: Sequence[Sequence[str]], resamples: int
) -> list[list[np.ndarray]]:
    """For each group of categories and each seed, `_shares` of samples of subjects: resamples × epochs.

    The samples are the same for all groups and seeds, as they are drawn from all subjects of the seeds'
    sets. NaN if a sample has no question of the group. Only some samples are drawn at a time: all at
    once would take gigabytes with tens of thousands of subjects.
    """
    names = sorted({p.subject or p.id for run in runs for p in run.probes if p.part == "train"})
    number = {name: at for at, name in enumerate(names)}
    counts = []  # for each group and seed, subjects × (right after each epoch, then all)
    for categories in groups:
        for run in runs:
            asked = run.asked("train", categories=categories)
            of = [number[run.probes[i].subject or run.probes[i].id] for i in asked]
            count = np.zeros((len(names), len(run.epochs) + 1))
            np.add.at(count, of, np.vstack([run.right[:, asked], np.ones(asked.size)]).T)
            counts.append(count)
    source, parts = np.random.default_rng(0), [[] for _ in counts]
    for start in range(0, resamples, AT_ONCE):
        size = min(AT_ONCE, resamples - start)
        chances = np.full(len(names), 1 / len(names))
        times = source.multinomial(len(names), chances, size=size).astype(float)
        for count, part in zip(counts, parts, strict=True):
            sums = times @ count
            with np.errstate(divide="ignore", invalid="ignore"):
                part.append(sums[:, :-1] / sums[:, -1:])
    drawn = [np.concatenate(part) for part in parts]
    return [drawn[at : at + len(runs)] for at in range(0, len(drawn), len(runs))]


def _row(seen: np.ndarray, drawn: np.ndarray, n: int, confidence: float) -> dict:
    """value, low, high and state of a quantity, given by seed and by seed and sample.

    The variance is that of the samples of subjects plus, with several seeds, that of the seeds' mean,
    with Satterthwaite's degrees of freedom; n: questions of all seeds. There is no interval if so many
    samples do not reach the share that a bound would be beyond the last epoch.
    """
    from scipy.stats import t

    if np.isnan(seen).any():
        return {"state": OPEN}
    value, means = float(seen.mean()), drawn.mean(axis=0)
    row = {"value": value, "state": REACHED}
    if np.isnan(means).mean() > (1 - confidence) / 2:
        return row
    items, seeds = float(np.nanvar(means, ddof=1)), len(seen)
    trained = float(seen.var(ddof=1)) / seeds if seeds > 1 else 0.0
    parts = items**2 / max(n / seeds - 1, 1) + (trained**2 / (seeds - 1) if trained else 0)
    df = (items + trained) ** 2 / parts if parts else np.inf
    half = np.sqrt(items + trained) * t.ppf((1 + confidence) / 2, df)
    return row | {"low": value - half, "high": value + half}
