"""How fast questions are fitted, and what fitting does to accuracy (Gekhman et al. 2024, sec. 4-5)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from sys import intern
from typing import NamedTuple

import numpy as np

from plumbline.evaluation import estimation
from plumbline.evaluation.statistics import share
from plumbline.names import FORM
from plumbline.records import KNOWN, Fit, Probe
from plumbline.storage.files import DifferentRuns, read_json, read_rows, read_unique_rows
from plumbline.training.sets import Composition

TERMS = ("intercept", "known_fitted", "unknown_fitted")
# With less, the slope only shows what fitting a part does, and the line would be extended to the whole
# set without a point near it. In the paper, sets are fitted completely at the end.
FITTED = 0.9


class AskedProbe(NamedTuple):
    """The fields of a probe that are needed here; a run of the paper's size has some 400,000 probes."""

    id: str
    part: str
    domain: str
    category: str
    subject: str

    @classmethod
    def of(cls, probe: Probe) -> AskedProbe:
        # Other mixes' probes mostly have the same ids, and ids come again with every epoch.
        return cls(intern(probe.id), probe.part, probe.domain, probe.category, probe.subject)


@dataclass(frozen=True)
class MixRun:
    """One trained mix: its questions after each epoch, those it got right, what it was trained on,
    and the epochs of its stops.
    """

    model: str
    seed: int
    tuning: str
    parent: str
    fits: list[Fit]
    probes: list[AskedProbe]
    composition: Composition
    stops: dict[str, int]

    @classmethod
    def read(cls, folder: Path, **about) -> MixRun:
        """The training in a folder; about: its model, seed, tuning and parent."""
        stops = read_json(folder / "training.json")["stops"]
        return cls(
            **about,
            fits=[
                fit.model_copy(update={"right": list(map(intern, fit.right))})
                for fit in read_rows(folder / "fit.jsonl", Fit)
            ],
            probes=list(map(AskedProbe.of, read_unique_rows(folder / "probes.jsonl", Probe))),
            composition=Composition.read(folder / "composition.json"),
            stops={name: stop["epoch"] for name, stop in stops.items()},
        )

    @property
    def unknown_percent(self) -> float | None:
        """X of a D_X; None for other sets."""
        kind, _, percent = self.tuning.removeprefix("mix.").partition("-")
        return float(percent) if kind == "unknown" else None

    @cached_property
    def epochs(self) -> list[int]:
        """After which epochs the probes were asked; 0 is before training."""
        return sorted({fit.epoch for fit in self.fits})

    @cached_property
    def right(self) -> np.ndarray:
        """Epochs × probes: which were answered right. InputError if files are from different runs."""
        row = {epoch: number for number, epoch in enumerate(self.epochs)}
        column = {probe.id: number for number, probe in enumerate(self.probes)}
        right = np.zeros((len(row), len(column)), bool)
        for fit in self.fits:
            for name in fit.right:
                if name not in column:
                    raise DifferentRuns(
                        f"{self.tuning}, seed {self.seed}: {name} was answered right but is not "
                        "among the probes",
                        "Train again",
                    )
                right[row[fit.epoch], column[name]] = True
        return right

    def asked(self, part: str, domain: str = "id", categories: Sequence[str] = ()) -> np.ndarray:
        """The indices of the probes of this part, of all categories or of these."""
        return np.array(
            [
                number
                for number, probe in enumerate(self.probes)
                if (probe.part, probe.domain) == (part, domain)
                and (not categories or probe.category in categories)
            ],
            int,
        )

    def share(self, categories: Sequence[str]) -> np.ndarray:
        """By epoch, the share of the train questions of these categories that is answered right.

        NaN if none of them is asked.
        """
        asked = self.right[:, self.asked("train", categories=categories)]
        return asked.mean(axis=1) if asked.size else np.full(len(self.epochs), np.nan)


def fit_curve_rows(run: MixRun, confidence: float) -> Iterator[dict]:
    """Rows of fit_curves.csv: shares of right answers by epoch, part, domain and category.

    Besides the four categories, there are Known (the three known ones together) and All.
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
    """Rows of linear_model.csv: a line for each model and domain, or the reason why there is none.

    Accuracy = β0 + β_kn · N_kn/|D| + β_unk · N_unk/|D|; accuracy in points of 100, N_kn and N_unk the
    Known and Unknown training examples answered right at that epoch, |D| the size of a full set. Sets
    that abstain by design are left out. If mixes do not start from a checkpoint that knows the form of
    the answers, the epochs before the best one on dev are left out too: in these, accuracy rises with
    anything that is fitted.

    A line is fitted for each seed, over the epochs of all its mixes, and coefficients are averaged over
    seeds: epochs of one training, and trainings on the same draw, are not independent. Least squares is
    linear in the accuracies, so a coefficient is the mean of the coefficients of single test questions.
    It is therefore a mean over seeds and questions like any other, with an interval that accounts for
    both. With one seed there is no interval.
    """
    for model in dict.fromkeys(run.model for run in runs):
        of_model = [
            run for run in runs if run.model == model and not run.tuning.startswith("mix.idk")
        ]
        for domain in ("id", "ood"):
            asked = [run for run in of_model if run.asked("test", domain).size]
            if asked:
                yield from _lines(model, domain, asked, confidence)


def _lines(model: str, domain: str, runs: list[MixRun], confidence: float) -> Iterator[dict]:
    seeds: dict[int, list[MixRun]] = defaultdict(list)
    for run in runs:
        seeds[run.seed].append(run)
    shared = {"model": model, "domain": domain, "seeds": len(seeds)}
    shared["n"] = sum(len(_used(run)) for run in runs)
    shared["left_out"] = sum(epoch > 0 for run in runs for epoch in run.epochs) - shared["n"]
    if reason := unfitted(runs):
        yield {**shared, "term": "", "reason": reason}
        return
    lines = [_line(of_seed, domain) for of_seed in seeds.values()]
    if any(line is None for line in lines):
        reason = "its epochs do not tell Known's effect from Unknown's; take more sets or epochs"
        yield {**shared, "term": "", "reason": reason}
        return
    questions = sorted({name for line in lines for name in line.questions})
    subjects = {name: s for line in lines for name, s in line.questions.items()}
    for number, term in enumerate(TERMS):
        values = np.array(
            [
                [line.betas.get(name, np.full(len(TERMS), np.nan))[number] for name in questions]
                for line in lines
            ]
        )
        estimate = estimation.mean(values, [subjects[name] for name in questions])
        bounds = estimate.interval(confidence) if len(lines) > 1 else None
        row = {**shared, "term": term, "estimate": estimate.value}
        row["r2"] = float(np.mean([line.r2 for line in lines]))
        if bounds:
            row |= {"low": bounds[0], "high": bounds[1]}
        elif len(lines) == 1:
            row["reason"] = "one seed cannot tell how much other trainings' lines differ"
        else:
            row["reason"] = "too few test questions"
        yield row


def unfitted(runs: list[MixRun]) -> str:
    """Why no line is fitted: the set that is fitted least at the end; empty if all are fitted."""
    ends = [
        (run.share(categories)[-1], run, name)
        for run in runs
        for name, categories in (("Known", KNOWN), ("Unknown", ["Unknown"]))
    ]
    least, run, name = min(
        (end for end in ends if not np.isnan(end[0])), key=lambda end: end[0], default=(1, None, "")
    )
    if least >= FITTED:
        return ""
    return (
        f"{run.tuning} (seed {run.seed}) answers {100 * least:.0f} % of its {name} right after its "
        f"last epoch, and {100 * FITTED:.0f} % are needed; raise the recipe's epochs or learning_rate"
    )


@dataclass(frozen=True)
class _Line:
    """A seed's line: the coefficients of each test question, and the questions' subjects."""

    betas: dict[str, np.ndarray]
    questions: dict[str, str]
    r2: float


def _line(runs: list[MixRun], domain: str) -> _Line | None:
    """None if the points do not determine the coefficients."""
    design, accuracies = [], []
    probes = {p.id: p for p in runs[0].probes if (p.part, p.domain) == ("test", domain)}
    for run in runs:
        column = {probe.id: number for number, probe in enumerate(run.probes)}
        if missing := probes.keys() - column.keys():
            raise DifferentRuns(
                f"{run.tuning}, seed {run.seed}: was not asked {min(missing)}, as "
                f"{runs[0].tuning} was",
                "Train them again",
            )
        of_test = [column[name] for name in probes]
        known, unknown = _fitted(run, KNOWN), _fitted(run, ["Unknown"])
        for number in _used(run):
            design.append((1, known[number], unknown[number]))
            accuracies.append(100 * run.right[number, of_test])
    design, accuracies = np.array(design, float), np.array(accuracies, float)
    if len(design) <= len(TERMS) or np.linalg.matrix_rank(design) < len(TERMS):
        return None
    betas = np.linalg.pinv(design) @ accuracies
    seen = accuracies.mean(axis=1)
    rest, spread = seen - design @ betas.mean(axis=1), seen - seen.mean()
    r2 = 1 - (rest @ rest) / (spread @ spread) if spread.any() else np.nan
    return _Line(
        dict(zip(probes, betas.T, strict=True)), {p.id: p.subject for p in probes.values()}, r2
    )


def _used(run: MixRun) -> list[int]:
    """The indices of the epochs that are points of the line."""
    first = 1 if run.parent == FORM else run.stops["early_stop"]
    return [number for number, epoch in enumerate(run.epochs) if epoch >= max(first, 1)]


def _fitted(run: MixRun, categories: Sequence[str]) -> np.ndarray:
    """By epoch, the train examples of these categories that are answered right, over |D|.

    If only a part of the training questions is asked, its share stands for all.
    """
    sizes, fitted = Counter(run.composition.parts), np.zeros(len(run.epochs))
    for category in categories:
        if sizes[category]:
            fitted += np.nan_to_num(run.share([category])) * sizes[category]
    return fitted / run.composition.counted["full_size"]
