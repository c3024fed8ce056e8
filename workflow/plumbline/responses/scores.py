"""The scores that rank responses: helpfulness and factuality (Lin et al. 2024, sec. 4.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from pydantic import Field

from plumbline.claims.records import Verdict
from plumbline.config.verification import KINDS
from plumbline.records import NonEmpty, Record
from plumbline.responses.drawn import DrawnResponse

POINTS = 5.0  # the most for helpfulness
LEAVING_OPEN = {name for name, kind in KINDS.items() if kind.BY_TABLE}  # verifiers


class Helpfulness(Record):
    """RM_IF of one response."""

    id: NonEmpty = Field(description="The response's id.")
    score: float | None = Field(
        None, ge=0, le=POINTS, description="Points; absent where no judge could say."
    )


class Factuality(Record):
    """RM_fact of one response."""

    id: NonEmpty = Field(description="The response's id.")
    score: float | None = Field(
        None, ge=0, le=1, description="RM_fact, see `factuality`; or another factual score."
    )
    supported: int = Field(ge=0)
    decided: int = Field(ge=0, description="Claims that are supported or refuted.")
    claims: int = Field(ge=0)


class Scored(Record):
    """A response with its rewards, from which pairs are built."""

    id: NonEmpty
    instruction: NonEmpty
    index: int = Field(ge=0)
    prompt: str
    text: NonEmpty
    helpful: float | None = Field(None, description="RM_IF, 0 to 5.")
    factual: float | None = Field(None, description="RM_fact, 0 to 1, or another factual score.")


def factuality(verdicts: Iterable[Verdict]) -> list[Factuality]:
    """RM_fact of every response with verdicts; responses without a claim have no row.

    With a judge, which decides every claim: supported claims over all claims (Lin et al. 2024, sec.
    4.2; Tian et al. 2024). With the table, which leaves most claims undecided, ours: (supported + 1)
    / (decided + 2), the expected share of supported claims given the decided ones (Laplace's rule of
    succession). Undecided claims do not count; a response without decided claims has 1/2, each
    supported claim raises that and each refuted one lowers it, by less the more are decided.
    """
    said: dict[tuple[str, bool], Counter] = defaultdict(Counter)
    for verdict in verdicts:
        said[verdict.response, verdict.verifier in LEAVING_OPEN][verdict.verdict] += 1
    rows = []
    for (name, by_table), counts in said.items():
        right, claims = counts["supported"], counts.total()
        decided = right + counts["refuted"]
        score = (right + 1) / (decided + 2) if by_table else right / claims
        rows.append(
            Factuality(id=name, score=score, supported=right, decided=decided, claims=claims)
        )
    return rows


def scored(
    responses: Iterable[DrawnResponse],
    helpful: Iterable[Helpfulness] = (),
    factual: Iterable[Factuality] = (),
) -> list[Scored]:
    """Responses with the rewards that they have."""
    helpful_ = {row.id: row.score for row in helpful}
    factual_ = {row.id: row.score for row in factual}
    return [
        Scored(
            id=response.id,
            instruction=response.instruction,
            index=response.index,
            prompt=response.prompt,
            text=response.text,
            helpful=helpful_.get(response.id),
            factual=factual_.get(response.id),
        )
        for response in responses
    ]
