"""What responses are ranked by: how helpful one is, and how factual (Lin et al. 2024, sec. 4.2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pydantic import Field

from plumbline.claims.records import Verdict
from plumbline.records import NonEmpty, Record
from plumbline.responses.drawn import Response

POINTS = 5.0  # of helpfulness, at most


class Helpfulness(Record):
    """RM_IF of one response."""

    id: NonEmpty = Field(description="The response's id.")
    score: float | None = Field(
        None, ge=0, le=POINTS, description="Mean of the readable scores; absent when none is."
    )
    samples: int = Field(ge=1, description="Judgements drawn.")
    parsed: int = Field(ge=0, description="Judgements with a readable score.")


class Factuality(Record):
    """RM_fact of one response."""

    id: NonEmpty = Field(description="The response's id.")
    score: float | None = Field(None, ge=0, le=1, description="supported / claims.")
    supported: int = Field(ge=0)
    claims: int = Field(ge=0)


class Scored(Record):
    """A response with its rewards; what pairs are built from."""

    id: NonEmpty
    instruction: NonEmpty
    index: int = Field(ge=0)
    prompt: str
    text: NonEmpty
    helpful: float | None = Field(None, description="RM_IF, 0 to 5.")
    factual: float | None = Field(None, description="RM_fact, 0 to 1, or another factual score.")


def factuality(verdicts: Iterable[Verdict], minimum: int = 1) -> list[Factuality]:
    """RM_fact of every response with verdicts: claims supported of all its claims.

    What cannot be verified counts as not supported. Fewer than `minimum` claims leave the score
    undefined, which guards against saying less. Responses without a claim have no row.
    """
    decisions: dict[str, list[bool]] = defaultdict(list)
    for verdict in verdicts:
        decisions[verdict.response].append(verdict.verdict == "supported")
    return [
        Factuality(
            id=name,
            score=sum(right) / len(right) if len(right) >= minimum else None,
            supported=sum(right),
            claims=len(right),
        )
        for name, right in decisions.items()
    ]


def scored(
    responses: Iterable[Response],
    helpful: Iterable[Helpfulness] = (),
    factual: Iterable[Factuality] = (),
) -> list[Scored]:
    """Responses with whichever rewards they have."""
    helpful_ = {row.id: row.score for row in helpful}
    factual_ = {row.id: row.score for row in factual}
    return [
        Scored(
            id=one.id,
            instruction=one.instruction,
            index=one.index,
            prompt=one.prompt,
            text=one.text,
            helpful=helpful_.get(one.id),
            factual=factual_.get(one.id),
        )
        for one in responses
    ]
