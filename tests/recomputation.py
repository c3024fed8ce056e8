"""A run's findings computed again from its raw files: numpy, scipy and nothing of plumbline.

What an answer is worth is judged anew from its text, the log-probabilities or the verdicts; then
means, intervals, p values, Holm's correction, verdicts and detectable effects follow from the
definitions in the report's “How to read this” and in estimation.py's description, written once more.
"""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import optimize, stats

ALPHA, POWER = 0.05, 0.8
LEAST_CLUSTERS = 6


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(root: Path, name: str) -> list[dict]:
    with (root / f"tables/{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def normalised(text: str) -> str:
    """SQuAD's normalisation of an answer's first line."""
    line = next(iter(text.strip().splitlines()), "").lower()
    line = "".join(c for c in line if c.isalnum() or c.isspace())
    return " ".join(word for word in line.split() if word not in ("a", "an", "the"))


def even(compared: dict) -> dict:
    """The win rates of what the checkpoint with these is compared with."""
    return {name: (cluster, 0.5) for name, (cluster, _) in compared.items()}


class Raw:
    """Values by item, from the raw files of a run's checkpoints."""

    def __init__(self, root: Path):
        self.root = root
        self.rows = json.loads((root / "lists/checkpoints.json").read_text(encoding="utf-8"))

    def folders(self, model: str, checkpoint: str) -> dict[int, Path]:
        """A checkpoint's folders by seed; the base's seed is 0."""
        return {
            row["seed"]: self.root / row["folder"]
            for row in self.rows
            if (row["model"], row["checkpoint"]) == (model, checkpoint)
        }

    def values(self, model: str, folder: Path, task: str, domain: str, metric: str) -> dict:
        """(cluster, value) of each item of a task in a domain that has the metric."""
        if metric == "em":
            return self._closed_book(model, folder, task, domain)
        if (self.root / f"choices/{task}.jsonl").exists():
            return self._choices(folder, task, domain, metric)
        return self._items(folder, task, domain, metric)

    def _closed_book(self, model: str, folder: Path, task: str, domain: str) -> dict:
        accepted = {
            row["id"]: {normalised(answer) for answer in row["answers"]}
            for row in lines(self.root / model / "slick/test.jsonl")
        }
        return {
            row["question"]: (
                row["cluster"],
                float(normalised(row["output"]) in accepted[row["question"]]),
            )
            for row in lines(folder / "closed_book/answers.jsonl")
            if (row["task"], row["domain"]) == (task, domain)
        }

    def _choices(self, folder: Path, task: str, domain: str, metric: str) -> dict:
        labels = {
            f"{task}/{row['id']}": row["labels"]
            for row in lines(self.root / f"choices/{task}.jsonl")
        }
        found = {}
        for row in lines(folder / f"choices/{task}.jsonl"):
            if (row["task"], row["domain"]) != (task, domain):
                continue
            sums, right = np.array(row["logprobs"]), np.array(labels[row["id"]], bool)
            odds = np.exp(sums - sums.max())
            found[row["id"]] = row["cluster"], {
                "mc1": float(sums[right].max() > sums[~right].max()),
                "mc2": float(odds[right].sum() / odds.sum()),
                "acc": float(right[sums.argmax()]),
            }[metric]  # fmt: skip
        return found

    def _items(self, folder: Path, task: str, domain: str, metric: str) -> dict:
        return {
            row["id"]: (row["cluster"], row["metrics"][metric])
            for path in sorted(folder.glob("*/items.jsonl"))
            for row in lines(path)
            if (row["task"], row["domain"]) == (task, domain) and metric in row["metrics"]
        }

    def differences(self, model, first, second, task, domain, metric):
        """Seeds × items of differences and the items' clusters; None where nothing is measured."""
        sides = [
            {
                seed: self.values(model, folder, task, domain, metric)
                for seed, folder in self.folders(model, checkpoint).items()
            }
            for checkpoint in (first, second)
        ]
        seeds = max(sides, key=len)
        pairs = [[side.get(seed, side.get(0)) or {} for side in sides] for seed in seeds]
        if task == "win_rate":  # what others are compared with wins half by definition
            pairs = [[one or even(other), other or even(one)] for one, other in pairs]
        names = sorted({name for one, other in pairs for name in one.keys() & other.keys()})
        if not names:
            return None
        values = np.full((len(pairs), len(names)), np.nan)
        clusters = [""] * len(names)
        for seed, (one, other) in enumerate(pairs):
            for place, name in enumerate(names):
                if name in one and name in other:
                    clusters[place] = one[name][0]
                    values[seed, place] = one[name][1] - other[name][1]
        return values, clusters


class Result:
    """The weighted sum of the mean differences of parts [(seeds × items, clusters), …]."""

    def __init__(self, parts, weights=(1,)):
        self.value, self.n = 0.0, 0
        centre, within, seed_means, noise, doubt, fewest = 0.0, 0.0, 0.0, 0.0, 0.0, math.inf
        for (values, clusters), weight in zip(parts, weights, strict=True):
            by_cluster = self._by_cluster(values, clusters)
            seeds, n = by_cluster.shape
            means = by_cluster.mean(axis=0)
            # Two made-up clusters: a tie, and one that is half up and half down.
            repeated = (n - len(set(means.round(9)))) / max(n - 1, 1)
            moved = [m * m for m in means if abs(m) > 1e-12]
            extra, squares = 2 * repeated, repeated * (np.mean(moved) if moved else 1.0)
            number = n + extra
            own = means.sum() / number
            variance = (means @ means + squares - number * own**2) / (number - 1) / number
            centre += weight * own
            within += weight**2 * variance
            doubt += (weight**2 * variance) ** 2 / (number - 1)
            seed_means = seed_means + weight * by_cluster.mean(axis=1)
            if seeds > 1:
                rest = by_cluster - by_cluster.mean(axis=1, keepdims=True) - means + means.mean()
                mean_square = (rest**2).sum() / ((seeds - 1) * (n - 1))
                noise += weight**2 * mean_square / (seeds * n)
            fewest = min(fewest, n)
            self.value += weight * by_cluster.mean()
            self.n += values.shape[1]
        self.centre, variance, self.df = centre, within, math.nan
        if within > 0:
            items_df = self.df = within**2 / doubt
        if seeds > 1:
            between = seed_means.var(ddof=1) / seeds
            trained = max(between - noise * (seeds - 2) / (seeds - 1), 0)
            variance = within + trained
        if seeds > 1 and variance > 0:
            satterthwaite = variance**2 / (doubt + (between**2 / (seeds - 1) if trained else 0))
            # The harmonic mean of both samples' own, by their parts of the variance.
            inverse = trained / variance / (seeds - 1)
            inverse += within / variance / items_df if within > 0 else 0
            self.df = max(min(satterthwaite, 1 / inverse), 1)
        self.se = math.sqrt(variance)
        self.known = fewest >= LEAST_CLUSTERS and self.se > 0

    @staticmethod
    def _by_cluster(values, clusters):
        """Seeds × clusters: the seed mean plus the cluster's deviations over the mean size."""
        names = sorted(set(clusters))
        found = np.zeros((len(values), len(names)))
        for seed, row in enumerate(values):
            there = ~np.isnan(row)
            mean = row[there].mean()
            size = there.sum() / len(names)
            off = defaultdict(float)
            for place in np.flatnonzero(there):
                off[clusters[place]] += row[place] - mean
            found[seed] = [mean + off[name] / size for name in names]
        return found

    @property
    def interval(self) -> tuple[float, float]:
        half = stats.t.isf(ALPHA / 2, self.df) * self.se
        return max(self.centre - half, -1), min(self.centre + half, 1)

    @property
    def p(self) -> float:
        return 2 * stats.t.cdf(-abs(self.centre) / self.se, self.df)

    def p_within(self, margin: float) -> float:
        """Twice the larger p of two one-sided tests."""
        sides = [stats.t.cdf((s * self.centre - margin) / self.se, self.df) for s in (1, -1)]
        return min(1, 2 * max(sides))

    def detectable(self, tests: int) -> float:
        """The effect whose test, at the corrected level, has 80 % power."""
        bound = stats.t.isf(ALPHA / tests / 2, self.df)
        power = lambda effect: stats.nct.sf(bound, self.df, effect / self.se)  # noqa: E731
        return optimize.brentq(lambda e: power(e) - POWER, 0, (3 * bound + 9) * self.se)


def holm(p: dict) -> dict:
    """Holm's step-down correction, by key."""
    corrected, worst = {}, 0.0
    for place, key in enumerate(sorted(p, key=p.get)):
        worst = max(worst, min(1, (len(p) - place) * p[key]))
        corrected[key] = worst
    return corrected


def verdicts(raw: Raw, stated: list[dict], margin: float) -> dict[int, dict]:
    """The contrasts' results by their place in the list, as contrasts.csv should hold them; without
    those that have no interval.
    """
    found: dict[int, Result] = {}
    for place, row in enumerate(stated):
        sides = [row[key] for key in ("model", "first", "second", "task", "domain", "metric")]
        pair = raw.differences(*sides)
        if pair is not None and (result := Result([pair])).known:
            found[place] = result
    p = {
        place: r.p_within(margin) if stated[place]["kind"] == "equivalence" else r.p
        for place, r in found.items()
    }
    corrected = {}
    for model in {row["model"] for row in stated}:
        primary = {
            place: p[place] for place in found
            if (stated[place]["model"], stated[place]["role"]) == (model, "primary")
        }  # fmt: skip
        corrected |= {place: (value, len(primary)) for place, value in holm(primary).items()}
    results = {}
    for place, result in found.items():
        held, tests = corrected.get(place, (p[place], 1))
        way = "higher" if result.value > 0 else "lower"
        way = "held" if stated[place]["kind"] == "equivalence" else way
        low, high = result.interval
        results[place] = {
            "difference": result.value, "low": low, "high": high, "p": p[place], "n": result.n,
            "verdict": "",
        }  # fmt: skip
        if place in corrected:
            way = way if held <= ALPHA else "undecided"
            results[place] |= {"p_corrected": held, "verdict": way}
        if stated[place]["kind"] == "difference":
            results[place]["detectable"] = result.detectable(tests)
    return results


def gain(raw: Raw, row: dict, tasks: dict[str, list[str]]) -> Result:
    """A row of gains.csv; tasks: those of each domain."""
    parts, weights = [], []
    metrics = {one["task"]: one["metric"] for one in table(raw.root, "comparisons")}
    domains = list(tasks) if row["domain"] == "both" else [row["domain"]]
    for domain in domains:
        for task in tasks[domain]:
            sides = row["checkpoint"], row["other"], task, domain, metrics[task]
            parts.append(raw.differences(row["model"], *sides))
            weights.append(1 / len(tasks[domain]) / len(domains))
    return Result(parts, weights)


def wrong_contrasts(root: Path, margin: float) -> list[str]:
    """Where contrasts.csv disagrees with the raw files."""
    rows = table(root, "contrasts")
    again, complaints = verdicts(Raw(root), rows, margin), []
    for place, row in enumerate(rows):
        results = again.get(place, {})
        if bool(row["low"]) != bool(results):
            complaints.append(f"an interval on one side only: {row}")
        for key, value in results.items():
            told = row[key] if key == "verdict" else float(row[key] or "nan")
            same = told == value if key == "verdict" else math.isclose(told, value, rel_tol=1e-6,
                                                                      abs_tol=1e-9)  # fmt: skip
            if not same:
                complaints.append(f"{key} {told}, computed again {value}: {row}")
    return complaints


def wrong_gains(root: Path) -> list[str]:
    """Where gains.csv disagrees with the raw files."""
    rows, raw, complaints = table(root, "gains"), Raw(root), []
    for row in rows:
        tasks = {
            one["domain"]: one["tasks"].split() for one in rows
            if one["domain"] != "both" and (one["model"], one["checkpoint"], one["against"])
            == (row["model"], row["checkpoint"], row["against"])
        }  # fmt: skip
        again = gain(raw, row, tasks)
        results = {"value": again.value, "n": again.n}
        if again.known:
            results["low"], results["high"] = again.interval
        elif row["low"]:
            complaints.append(f"an interval of too few items: {row}")
        complaints += [
            f"{key} {row[key]}, computed again {value}: {row}" for key, value in results.items()
            if not math.isclose(float(row[key]), value, rel_tol=1e-6, abs_tol=1e-9)
        ]  # fmt: skip
    return complaints


def wrong_sheets(root: Path) -> list[str]:
    """Complaints about answers.json; none where each checkpoint's right answers are those of the raw
    files, question by question, and as many as metrics.csv says.
    """
    raw, complaints = Raw(root), []
    measured = {
        tuple(row[key] for key in ("model", "checkpoint", "seed", "task", "domain", "metric")): row
        for row in table(root, "metrics")
        if row["category"] == "All"
    }
    for sheet in json.loads((root / "tables/answers.json").read_text(encoding="utf-8"))["sheets"]:
        model, task, metric = sheet["model"], sheet["task"], sheet["metric"]
        domains = [question["domain"] for question in sheet["questions"]]
        for column in sheet["columns"]:
            name, seed = column["checkpoint"], column["seed"]
            folder = raw.folders(model, name)[seed]
            for domain in dict.fromkeys(domains):
                right = [
                    int(r) for r, d in zip(column["right"], domains, strict=True) if d == domain
                ]
                again = [
                    int(v) for _, v in raw.values(model, folder, task, domain, metric).values()
                ]
                row = measured[model, name, str(seed), task, domain, metric]
                if right != again:
                    complaints.append(
                        f"{task}, {name}, {domain}: {sum(right)} right, not {sum(again)}"
                    )
                elif len(right) != int(row["n"]) or not math.isclose(
                    sum(right) / len(right), float(row["value"]), abs_tol=1e-9
                ):
                    complaints.append(f"{task}, {name}, {domain}: not as metrics.csv has it: {row}")
    return complaints


def sentences(root: Path, margin: float) -> list[tuple[str, ...]]:
    """What the page has to say of each primary contrast with an interval, from the raw files."""
    rows, found = table(root, "contrasts"), []
    for place, result in verdicts(Raw(root), rows, margin).items():
        if rows[place]["role"] != "primary":
            continue
        points = [f"{100 * result[key]:+.1f}" for key in ("difference", "low", "high")]
        points = ["0.0" if p in ("+0.0", "-0.0") else p.replace("-", "−") for p in points]
        p = result["p_corrected"]
        said = [f"n = {result['n']:,}", f"p corrected {'<0.001' if p < 0.001 else f'{p:.3f}'}",
                f"{points[0]} points (95 % interval {points[1]} to {points[2]})"]  # fmt: skip
        if result["verdict"] == "undecided" and "detectable" in result:
            said.append(f"a difference of {100 * result['detectable']:.1f} points or more")
        found.append(tuple(said))
    return found
