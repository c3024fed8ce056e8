"""What the second stage's training files consist of: the counts kept beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean

from plumbline.claims.records import Splitting
from plumbline.records import Pair
from plumbline.responses.drawn import DrawnResponse
from plumbline.responses.scores import Factuality, Helpfulness, Scored
from plumbline.storage.files import DifferentRuns
from plumbline.training.sets import Composition, TrainingSet


def of_pairs(
    built: TrainingSet[Pair],
    rows: Sequence[Scored],
    helpful: Sequence[Helpfulness],
    pairs: Mapping[str, Sequence[Pair]],
) -> Composition:
    """What a second-stage set consists of, and the means of both rewards where they are defined.

    Parts count each of the `pairs` once; the set's rows are drawn from these, some more than once.
    """
    counted = {
        "responses": len(rows),
        "responses_without_judgement": sum(row.score is None for row in helpful),
    }
    for reward in ("helpful", "factual"):
        values = [value for row in rows if (value := getattr(row, reward)) is not None]
        counted[f"{reward}_n"] = len(values)
        counted[f"{reward}_mean"] = fmean(values) if values else None
    return built.composition({name: len(pairs[name]) for name in sorted(pairs)}, **counted)


def check_same_run(
    responses: Iterable[DrawnResponse],
    helpful: Iterable[Helpfulness],
    splittings: Iterable[Splitting],
    factual: Iterable[Factuality],
    fact_based: Collection[str],
    *,
    every: bool = True,
) -> None:
    """Raises InputError unless every response was judged, and every claim of the responses to
    instructions in `fact_based` was verified. every: False if some claims may have no score, as with
    confidence.
    """
    responses = list(responses)
    _same({response.id for response in responses}, {row.id for row in helpful}, "judged")
    about_facts = {response.id for response in responses if response.instruction in fact_based}
    claims = {row.response: row.claims for row in splittings}
    _same(about_facts, set(claims), "split into claims")
    counted = {row.id: row.claims for row in factual}
    for name in sorted(claims.keys() | counted.keys()):
        wanted, with_it = claims.get(name, 0), counted.get(name, 0)
        if with_it > wanted or (every and with_it < wanted):
            what = "verdict(s); expected one" if every else "confidence(s); expected at most one"
            raise DifferentRuns(
                f"response {name} has {wanted} claim(s) and {with_it} {what} a claim",
                "Make them again",
            )


def _same(wanted: set[str], there: set[str], done: str) -> None:
    if wanted != there:
        name = min(wanted ^ there)
        what = f"was {done}, but should not have been" if name in there else f"was not {done}"
        raise DifferentRuns(
            f"response {name} {what}",
            "Make them again",
        )
