"""Questions about single facts, each with the statement that an answer to it makes.

Yuan et al. 2024 split responses into facts and ask the model about each. We do not know how they turn
a fact into a question; the two ways here (`by_table`, `by_model`) are ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from pydantic import Field, field_validator

from plumbline.claims.records import AskedFact, Claim, Verdict
from plumbline.data.select import order
from plumbline.records import NonEmpty, Record
from plumbline.texts.text import normalise, question_key

SLOT = "{answer}"
SEED = 1  # for choosing questions; the same for all seeds of a run, like the responses


class AtomicQuestion(Record):
    """A question whose answer is the object of one claim."""

    id: NonEmpty = Field(description="The claim's id, with a suffix.")
    topic: NonEmpty = Field(description="The entity that the response was about.")
    claim: NonEmpty = Field(description="Id of the claim.")
    question: NonEmpty
    statement: NonEmpty = Field(description="The fact with {answer} in its object's place.")
    object: str | None = Field(None, description="The object the claim names, if any.")
    asked: AskedFact | None = Field(None, description="The fact of the tables, where known.")

    @field_validator("statement")
    @classmethod
    def _one_slot(cls, text: str) -> str:
        if text.count(SLOT) != 1:
            raise ValueError(f"expected {SLOT} once")
        return text


def facts_in(verdict: Verdict) -> Iterator[tuple[AskedFact, list[str]]]:
    """The facts that a table verifier read in a claim, each with the objects named in the claim."""
    for shown in verdict.evidence:
        if "relation" in shown:
            fact = AskedFact(relation=shown["relation"], subject=shown["subject"])
            yield fact, shown.get("found", [])


def distinct(claims: Iterable[Claim]) -> tuple[list[Claim], Counter]:
    """The first of the claims about a topic that are equal after normalisation; the others
    are counted.
    """
    kept: dict[tuple[str, str], Claim] = {}
    total = 0
    for claim in claims:
        total += 1
        kept.setdefault((claim.topic, normalise(claim.text)), claim)
    return list(kept.values()), Counter({"said before": total - len(kept)})


def choose(
    questions: Iterable[AtomicQuestion], per_entity: int | None
) -> tuple[list[AtomicQuestion], Counter]:
    """At most `per_entity` questions per topic, without repetition, and why others are left out.

    Questions of a topic are the same if `text.question_key` is; the first one stays. Which ones are
    over the limit depends only on their ids.
    """
    by_topic: dict[str, dict[str, AtomicQuestion]] = defaultdict(dict)
    dropped: Counter = Counter()
    for question in questions:
        of_topic, key = by_topic[question.topic], question_key(question.question)
        if of_topic.setdefault(key, question) is not question:
            dropped["asked before"] += 1
    kept = []
    for of_topic in by_topic.values():
        ordered = sorted(of_topic.values(), key=lambda question: order(question.id, SEED))
        drawn = ordered[:per_entity]
        dropped["over atomic_per_entity"] += len(of_topic) - len(drawn)
        kept += [question for question in of_topic.values() if question in drawn]
    return kept, dropped
