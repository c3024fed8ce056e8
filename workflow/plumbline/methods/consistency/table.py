"""The counts of questions, answers and pairs, and how often pairs are right, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from plumbline.evaluation.estimation import difference, mean
from plumbline.evaluation.statistics import share
from plumbline.methods.consistency.records import ANSWERS, PAIRS, QUESTIONS, VotedPair
from plumbline.training.placebo import SIDES
from plumbline.training.sets import Composition

# States of an item; the others are reasons for what was dropped.
ALL, KEPT = "all", "kept"
SHARE, RIGHT_DIFFERENCE = "majority's share of the answers", "right: chosen less rejected"
RIGHT = {side: f"{side} right" for side in SIDES}


def pair_rows(
    pairs: Sequence[VotedPair], composition: Composition, *, confidence: float
) -> Iterator[dict]:
    """Rows item, state, value, low, high, n of one training file.

    Counts have no interval. For the pairs: the majority's mean share of the answers, the shares of
    pairs whose chosen and whose rejected side is right, and the paired difference of these two.
    """
    for item in (QUESTIONS, ANSWERS):
        yield _counted(item, ALL, composition.counted[item])
    for row in composition.dropped:
        yield _counted(row["item"], row["reason"], row["n"])
    yield _counted(PAIRS, KEPT, len(pairs))
    names = [pair.id for pair in pairs]
    votes = [pair.chosen_votes / pair.samples for pair in pairs]
    right = {side: [bool(getattr(pair, f"{side}_right")) for pair in pairs] for side in SIDES}
    estimates = {SHARE: mean(votes, names).estimate(confidence)}
    for side, answers in right.items():
        estimates[RIGHT[side]] = share(sum(answers), len(answers), confidence)
    estimates[RIGHT_DIFFERENCE] = difference(*right.values(), names).estimate(confidence)
    for state, estimate in estimates.items():
        yield {"item": PAIRS, "state": state, **asdict(estimate)}


def _counted(item: str, state: str, n: int) -> dict:
    return {"item": item, "state": state, "value": n, "n": n}
