"""A pair with its votes, and what is counted beside it: all that tables and the report read."""

from __future__ import annotations

from pydantic import Field

from plumbline.records import NonEmpty, Pair

STAGE = "consistency"
# What is counted, as dropped.csv and the table of pairs call it.
QUESTIONS, ANSWERS, PAIRS = "questions", "sampled answers", "pairs"


class VotedPair(Pair):
    """A pair with its votes. Whether its sides are right is told afterwards, see `pairs.with_truth`."""

    question: NonEmpty = Field(description="The question's id.")
    samples: int = Field(ge=2, description="Answers drawn, k, unusable ones among them.")
    chosen_votes: int = Field(ge=1)
    rejected_votes: int = Field(ge=1)
    chosen_right: bool | None = Field(None, description="By the gold answers; None: not yet told.")
    rejected_right: bool | None = None
