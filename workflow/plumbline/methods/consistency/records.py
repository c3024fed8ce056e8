"""A pair with its votes, and the names of what is counted, for tables and the report."""

from __future__ import annotations

from pydantic import Field

from plumbline.records import NonEmpty, Pair

STAGE = "consistency"
# The items that are counted, as named in dropped.csv and in the table of pairs.
QUESTIONS, ANSWERS, PAIRS = "questions", "sampled answers", "pairs"


class VotedPair(Pair):
    """A pair with its votes. Whether its sides are right is added later, see `pairs.with_truth`."""

    question: NonEmpty = Field(description="The question's id.")
    samples: int = Field(ge=2, description="Answers drawn, k, unusable ones among them.")
    chosen_votes: int = Field(ge=1)
    rejected_votes: int = Field(ge=1)
    chosen_right: bool | None = Field(None, description="By the gold answers; None: not yet told.")
    rejected_right: bool | None = None
