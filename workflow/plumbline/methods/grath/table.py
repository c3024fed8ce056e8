"""What became of the model and of its pairs, round by round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plumbline.evaluation.statistics import paired_difference
from plumbline.methods.grath.rounds import GrathPair
from plumbline.text import segments

COLUMNS = [
    "model",
    "seed",
    "variant",
    "round",
    "checkpoint",
    "task",
    "domain",
    "metric",
    "value",
    "low",
    "high",
    "n",
]
TASK = "pairs"


def pair_rows(
    pairs: list[GrathPair], composition: dict, *, confidence: float, resamples: int
) -> Iterator[dict]:
    """Rows metric, value, low, high, n about the pairs a round was trained on; task `pairs`.

    Counts (n: questions asked) have no interval. `similarity` of the two answers and their length
    in words (`chosen_words`, `rejected_words`) are means over pairs with a bootstrap interval.
    """
    lost = {row["reason"]: row["n"] for row in composition["dropped"]}
    asked = composition["asked"]
    counts = {
        "asked": asked,
        "parsed": composition["parsed"],
        "unparsed": asked - composition["parsed"],
        "identical": lost.get("identical_sides", 0),
        "empty": lost.get("empty_side", 0),
        "kept_first": composition["kept_first"],
        "changed": composition["changed"],
        "pairs": composition["pairs"],
    }
    for metric, value in counts.items():
        yield {"task": TASK, "metric": metric, "value": value, "n": asked}
    means = {
        "similarity": [pair.similarity for pair in pairs],
        "chosen_words": [len(segments(pair.correct)) for pair in pairs],
        "rejected_words": [len(segments(pair.incorrect)) for pair in pairs],
    }
    for metric, values in means.items():
        mean = paired_difference(
            values,
            [0] * len(values),
            [pair.id for pair in pairs],
            confidence=confidence,
            resamples=resamples,
        )
        yield {
            "task": TASK,
            "metric": metric,
            "value": mean.value,
            "low": mean.low,
            "high": mean.high,
            "n": mean.n,
        }


def as_text(rows: Iterable[dict]) -> str:
    """MC1 and MC2 (percent, with interval) by variant and round, aligned for a terminal; "" without
    any.
    """
    found: dict[tuple, dict[str, dict]] = {}
    for row in rows:
        if row["metric"] in ("mc1", "mc2"):
            key = tuple(row[k] for k in ("model", "variant", "task", "domain", "seed", "round"))
            found.setdefault(key, {})[row["metric"]] = row
    lines = [("model", "variant", "task", "domain", "seed", "round", "n", "MC1 %", "MC2 %")]
    for key in sorted(found):
        metrics = found[key]
        n = max(row["n"] for row in metrics.values())
        cells = (_measured(metrics.get(name)) for name in ("mc1", "mc2"))
        lines.append((*map(str, key), f"{n:,}", *cells))
    if not found:
        return ""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _measured(row: dict | None) -> str:
    if row is None:
        return "–"
    value, low, high = (100 * row[name] for name in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f}–{high:.1f})"
