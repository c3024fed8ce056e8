"""The rows of claim checking: a response, its claims, the outcome of splitting, and verdicts.

Rows refer to each other by id: `Claim.response` and `Verdict.response` are a `Response.id`, and
`Verdict.claim` is a `Claim.id`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from plumbline.records import NonEmpty, Record

Decision = Literal["supported", "refuted", "unverifiable"]


class Response(Record):
    """A long answer whose claims are to be checked."""

    id: NonEmpty
    prompt: str = Field(description="What was asked.")
    topic: NonEmpty = Field(description="The entity or subject the answer is about.")
    text: str = Field(description="The answer; may be empty.")
    unfinished_thought: bool = Field(
        False, description="Whether it is empty because the model was still thinking."
    )
    cut_off: bool = Field(
        False, description="Whether the token limit ended it: its last sentence is then unfinished."
    )


class AskedFact(BaseModel):
    """A fact of the tables that a question asks for."""

    model_config = ConfigDict(frozen=True)

    relation: NonEmpty
    subject: NonEmpty


class Claim(Record):
    """One atomic statement that can be checked by itself."""

    id: NonEmpty
    response: NonEmpty = Field(description="Id of the response it was taken from.")
    topic: NonEmpty
    sentence: int = Field(ge=0, description="Index of the sentence within the response.")
    text: NonEmpty
    asked: AskedFact | None = Field(
        None,
        description="Of an answer to a question about a fact: that fact. What the claim says of "
        "another one, true or false, is no answer.",
    )


class SplitState(StrEnum):
    """The outcome of splitting a response; only `ok` responses have claims."""

    OK = "ok"
    EMPTY = "empty"
    UNFINISHED_THOUGHT = "unfinished_thought"
    REFUSED = "refused"
    UNPARSABLE = "unparsable"
    NO_CLAIMS = "no_claims"
    CUT_OFF = "cut_off"


class Splitting(Record):
    """The outcome of splitting one response, with counts of what was kept and dropped."""

    response: NonEmpty
    state: SplitState
    sentences: int = Field(0, ge=0)
    unparsable: int = Field(0, ge=0, description="Sentences whose list could not be read.")
    cut: int = Field(
        0,
        ge=0,
        description="Claims dropped: the token limit cut them off, or the sentence they end.",
    )
    duplicates: int = Field(0, ge=0, description="Claims dropped: said earlier in the response.")
    claims: int = Field(0, ge=0, description="Claims kept.")


class Verdict(Record):
    """A verifier's decision on one claim, with the evidence for it."""

    claim: NonEmpty = Field(description="The claim's id.")
    response: NonEmpty
    verdict: Decision
    evidence: list[dict] = Field(default_factory=list)
    verifier: NonEmpty
    state: NonEmpty = Field(
        "ok", description="Why the verdict is what it is, e.g. 'no page', 'judge unparsable'."
    )
    score: float | None = Field(None, description="The verifier's own scale; larger is truer.")
