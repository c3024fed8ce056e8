"""What became of the model and of its pairs, round by round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

from plumbline.evaluation.estimation import difference, mean
from plumbline.evaluation.statistics import share
from plumbline.methods.grath.rounds import ROUND_0, GrathPair
from plumbline.methods.grath.truth import is_negated
from plumbline.texts.text import segments
from plumbline.training.placebo import SIDES
from plumbline.training.sets import Composition

TASK = "pairs"


def pair_rows(
    pairs: list[GrathPair], composition: Composition, *, confidence: float
) -> Iterator[dict]:
    """Rows metric, value, low, high, n about the pairs a round was trained on; task `pairs`.

    Counts (n: questions asked) have no interval. `similarity` of the two answers and their length
    in words (`chosen_words`, `rejected_words`) are means over pairs with their intervals, and so are
    the shares of answers that name a right option (`chosen_right`, `rejected_right`), their paired
    difference (`right_difference`) and the shares of answers with a negation (`chosen_negated`,
    `rejected_negated`).
    """
    lost = {row["reason"]: row["n"] for row in composition.dropped}
    counted = composition.counted
    asked = counted["asked"]
    counts = {
        "asked": asked,
        "parsed": counted["parsed"],
        "unparsed": asked - counted["parsed"],
        "identical": lost.get("identical_sides", 0),
        "empty": lost.get("empty_side", 0),
        "kept_first": composition.parts[ROUND_0],
        "changed": counted["changed"],
        "pairs": composition.rows,
    }
    for metric, value in counts.items():
        yield {"task": TASK, "metric": metric, "value": value, "n": asked}
    right = {side: [getattr(pair, f"{side}_right") for pair in pairs] for side in SIDES}
    measured = {
        "similarity": [pair.similarity for pair in pairs],
        "chosen_words": [len(segments(pair.correct)) for pair in pairs],
        "rejected_words": [len(segments(pair.incorrect)) for pair in pairs],
    }
    names = [pair.id for pair in pairs]
    estimates = {
        metric: mean(values, names).estimate(confidence) for metric, values in measured.items()
    }
    estimates["right_difference"] = difference(*right.values(), names).estimate(confidence)
    negated = {
        "chosen": [is_negated(pair.correct) for pair in pairs],
        "rejected": [is_negated(pair.incorrect) for pair in pairs],
    }
    for about, by_side in {"right": right, "negated": negated}.items():
        for side, answers in by_side.items():
            estimates[f"{side}_{about}"] = share(sum(answers), len(answers), confidence)
    for metric, estimate in estimates.items():
        yield {"task": TASK, "metric": metric, **asdict(estimate)}


def as_text(rows: Iterable[dict]) -> str:
    """MC1 and MC2 (percent, with interval) by variant and round, aligned for a terminal; "" without
    any.
    """
    by_key: dict[tuple, dict[str, dict]] = {}
    for row in rows:
        if row["metric"] in ("mc1", "mc2"):
            key = tuple(row[k] for k in ("model", "variant", "task", "domain", "seed", "round"))
            by_key.setdefault(key, {})[row["metric"]] = row
    lines = [("model", "variant", "task", "domain", "seed", "round", "n", "MC1 %", "MC2 %")]
    for key in sorted(by_key):
        metrics = by_key[key]
        n = max(row["n"] for row in metrics.values())
        cells = (_measured(metrics.get(name)) for name in ("mc1", "mc2"))
        lines.append((*map(str, key), f"{n:,}", *cells))
    if not by_key:
        return ""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _measured(row: dict | None) -> str:
    if row is None:
        return "–"
    if row["low"] is None:
        return f"{100 * row['value']:.1f}"
    value, low, high = (100 * row[name] for name in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f}–{high:.1f})"
