"""How fast what is fitted, and what fitting does to accuracy (Gekhman et al. 2024, sec. 4-5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from plumbline.evaluation.statistics import least_squares, share
from plumbline.records import KNOWN, Fit

CURVE_COLUMNS = [
    "model",
    "seed",
    "tuning",
    "unknown_percent",
    "epoch",
    "part",
    "domain",
    "category",
    "value",
    "low",
    "high",
    "n",
    "stop",
]
LINE_COLUMNS = ["model", "domain", "term", "estimate", "low", "high", "r2", "n"]


@dataclass(frozen=True)
class MixRun:
    """One trained mix: its fit rows, its composition.json and the epochs of its stops."""

    model: str
    seed: int
    tuning: str
    fits: list[Fit]
    composition: dict
    stops: dict[str, int]

    @property
    def unknown_percent(self) -> float | None:
        """X of a D_X; None for the other sets."""
        kind, _, percent = self.tuning.removeprefix("mix.").partition("-")
        return float(percent) if kind == "unknown" else None


def fit_curve_rows(run: MixRun, confidence: float) -> Iterator[dict]:
    """Rows of fit_curves.csv: shares of right answers by epoch, part, domain and category.

    Beside the four categories: Known (the three known ones together) and All.
    """
    correct, n = Counter(), Counter()
    for fit in run.fits:
        groups = ["All", fit.category, *(["Known"] if fit.category in KNOWN else [])]
        for category in groups:
            key = fit.epoch, fit.part, fit.domain, category
            correct[key] += fit.correct
            n[key] += fit.n
    for epoch, part, domain, category in n:
        key = epoch, part, domain, category
        estimate = share(correct[key], n[key], confidence)
        yield {
            "model": run.model,
            "seed": run.seed,
            "tuning": run.tuning,
            "unknown_percent": run.unknown_percent,
            "epoch": epoch,
            "part": part,
            "domain": domain,
            "category": category,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "n": estimate.n,
            "stop": "+".join(
                name for name, at in sorted(run.stops.items(), reverse=True) if at == epoch
            ),
        }


def linear_model_rows(runs: list[MixRun], confidence: float) -> Iterator[dict]:
    """Rows of linear_model.csv, a fit for each model and domain.

    Accuracy = β0 + β_kn · N_kn/|D| + β_unk · N_unk/|D| over all (mix, seed, epoch) points;
    accuracy in points of 100, N_kn and N_unk the Known and Unknown training examples answered
    right at that epoch, |D| the size of a full set. Sets that abstain by design are left out.
    The points of one run follow each other, so the intervals are narrower than new runs would
    bear out.
    """
    for model in dict.fromkeys(run.model for run in runs):
        for domain in ("id", "ood"):
            points = [
                point
                for run in runs
                if run.model == model and not run.tuning.startswith("mix.idk")
                for point in _points(run, domain)
            ]
            line = least_squares(
                [accuracy for accuracy, _, _ in points],
                {
                    "known_fitted": [known for _, known, _ in points],
                    "unknown_fitted": [unknown for _, _, unknown in points],
                },
                confidence,
            )
            if line is None:
                continue
            for term, estimate in line.terms.items():
                yield {
                    "model": model,
                    "domain": domain,
                    "term": term,
                    "estimate": estimate.value,
                    "low": estimate.low,
                    "high": estimate.high,
                    "r2": line.r2,
                    "n": estimate.n,
                }


def _points(run: MixRun, domain: str) -> Iterator[tuple[float, float, float]]:
    """(test accuracy in points, N_kn/|D|, N_unk/|D|) after each trained epoch."""
    sizes = Counter(run.composition["categories"])
    for epoch in sorted({fit.epoch for fit in run.fits if fit.epoch > 0}):
        rows = [fit for fit in run.fits if fit.epoch == epoch]
        test = [fit for fit in rows if (fit.part, fit.domain) == ("test", domain)]
        asked = sum(fit.n for fit in test)
        if not asked:
            continue
        fitted = {"known": 0.0, "unknown": 0.0}
        for fit in rows:
            if fit.part == "train" and fit.n:
                # Where only a part of the training questions is asked, its share stands for all.
                group = "known" if fit.category in KNOWN else "unknown"
                fitted[group] += fit.correct / fit.n * sizes[fit.category]
        whole = run.composition["full_size"]
        accuracy = 100 * sum(fit.correct for fit in test) / asked
        yield accuracy, fitted["known"] / whole, fitted["unknown"] / whole
