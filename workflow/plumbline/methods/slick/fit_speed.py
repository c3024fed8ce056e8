"""How many epochs it takes until half and nearly all of a category is fitted, within one mix.

Gekhman et al. 2024 (sec. 4.3) show that Unknown is fitted later than Known. Here that is a number
with an interval: a set's own questions are the sample, whole subjects of them, and its trainings
at several seeds are another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from plumbline.methods.slick.fitting import MixRun
from plumbline.records import KNOWN, Category

SHARES = (0.5, 0.9)
GROUPS = {"Known": KNOWN, **{str(category): (category,) for category in Category}}
LATER = "Unknown - Known"
REACHED, OPEN = "reached", "not reached"


def fit_speed_rows(runs: list[MixRun], *, confidence: float, resamples: int) -> Iterator[dict]:
    """Rows of fit_speed.csv: epochs to each share, of each category of a mix and of Known together,
    and by how many epochs Unknown comes after Known.

    The mean over seeds; `state` says whether every seed reached the share. Where one did not there
    is no value: all that is known is that it takes more epochs than were trained.
    """
    for model, tuning in dict.fromkeys((run.model, run.tuning) for run in runs):
        same = [run for run in runs if (run.model, run.tuning) == (model, tuning)]
        for wanted in SHARES:
            shared = {"model": model, "tuning": tuning, "share": wanted, "seeds": len(same)}
            drawn: dict[str, tuple[np.ndarray, np.ndarray]] = {}
            for category, members in GROUPS.items():
                n = sum(run.asked("train", categories=members).size for run in same)
                if not n or (category in KNOWN and len(_there(same)) < 2):
                    continue
                drawn[category] = of_draws(same, members, wanted, resamples)
                row = _row(*drawn[category], n, confidence)
                yield shared | {"category": category, "n": n} | row
            if {"Known", "Unknown"} <= drawn.keys():
                (first, known), (later, unknown) = drawn["Known"], drawn["Unknown"]
                n = sum(run.asked("train").size for run in same)
                row = _row(later - first, unknown - known, n, confidence)
                yield shared | {"category": LATER, "n": n} | row


def _there(runs: list[MixRun]) -> set[str]:
    """The categories that are Known of the sets' questions."""
    return {p.category for run in runs for p in run.probes if p.part == "train"} & set(KNOWN)


def crossings(shares: np.ndarray, wanted: float) -> np.ndarray:
    """When curves first reach a share, in epochs; between two epochs they are straight.

    shares: … × epochs, from epoch 0 on. NaN where a curve never does.
    """
    above = shares >= wanted
    at = above.argmax(axis=-1)
    before = np.maximum(at - 1, 0)
    high = np.take_along_axis(shares, at[..., None], -1)[..., 0]
    low = np.take_along_axis(shares, before[..., None], -1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        when = np.where(at == 0, 0.0, before + (wanted - low) / (high - low))
    return np.where(above.any(axis=-1), when, np.nan)


def of_draws(
    runs: Sequence[MixRun], categories: Sequence[str], wanted: float, resamples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Epochs to a share at each seed, and of samples of whole subjects: seeds × resamples.

    A sample is the same for all categories and seeds, since it is drawn of all the subjects that
    the seeds' sets have. NaN where the share is not reached, or a sample holds none of the category.
    """
    names = sorted({p.subject or p.id for run in runs for p in run.probes if p.part == "train"})
    number = {name: at for at, name in enumerate(names)}
    times = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)),
                                                 size=resamples)  # fmt: skip
    seen, drawn = [], []
    for run in runs:
        asked = run.asked("train", categories=categories)
        right = run.right[:, asked].astype(float)
        of = [number[run.probes[i].subject or run.probes[i].id] for i in asked]
        sums, sizes = np.zeros((len(names), len(run.epochs))), np.zeros((len(names), 1))
        np.add.at(sums, of, right.T)
        np.add.at(sizes, of, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn.append(crossings((times @ sums) / (times @ sizes), wanted))
            seen.append(crossings(right.mean(axis=1) if asked.size else np.full(1, np.nan), wanted))
    return np.array(seen), np.array(drawn)


def _row(seen: np.ndarray, drawn: np.ndarray, n: int, confidence: float) -> dict:
    """value, low, high and state of a quantity, given by seed and by seed and sample.

    The variance is that of the samples of subjects, plus, with several seeds, that of their mean,
    with Satterthwaite's degrees of freedom; n: questions at all seeds. No interval where so many
    samples do not reach the share that a bound lies beyond the last epoch.
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
