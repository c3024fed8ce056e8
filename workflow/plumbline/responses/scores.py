"""What responses are ranked by: how helpful one is, and how factual (Lin et al. 2024, sec. 4.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
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
    score: float | None = Field(
        None, ge=0, le=1, description="supported / decided; absent where nothing is decided."
    )
    supported: int = Field(ge=0)
    decided: int = Field(ge=0, description="Claims that are supported or refuted.")
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


def factuality(verdicts: Iterable[Verdict]) -> list[Factuality]:
    """RM_fact of every response with verdicts: claims supported of those decided.

    The paper's verifier decides every claim, and its reward is the share of all claims. Where one
    leaves claims open, ours is the share of what it decides: an open claim is no sign of falsehood,
    and a response without a decided one has no score. Responses without a claim have no row.
    """
    said: dict[str, Counter] = defaultdict(Counter)
    for verdict in verdicts:
        said[verdict.response][verdict.verdict] += 1
    return [
        Factuality(
            id=name,
            score=right / decided if decided else None,
            supported=right,
            decided=decided,
            claims=found.total(),
        )
        for name, found in said.items()
        for right in [found["supported"]]
        for decided in [right + found["refuted"]]
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
