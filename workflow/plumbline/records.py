"""The rows that pass between stages: one JSON object per line, one class per kind of row.

Fields that the classes do not name (provenance) are kept on reading and writing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from plumbline.texts.text import visible
from plumbline.texts.thoughts import is_unclosed, without_thoughts


def _not_blank(text: str) -> str:
    if not visible(text):
        raise ValueError("is blank: nothing in it can be seen. Fill it, or remove the row")
    return text


NonEmpty = Annotated[str, StringConstraints(min_length=1)]
Text = Annotated[NonEmpty, AfterValidator(_not_blank)]  # text that somebody wrote
Split = Literal["train", "dev", "test"]
Domain = Literal["id", "ood"]


class Record(BaseModel):
    model_config = ConfigDict(extra="allow")


class Category(StrEnum):
    """SliCK's knowledge categories (Gekhman et al. 2024, Fig. 2), best known first."""

    HIGHLY_KNOWN = "HighlyKnown"
    MAYBE_KNOWN = "MaybeKnown"
    WEAKLY_KNOWN = "WeaklyKnown"
    UNKNOWN = "Unknown"


KNOWN = (Category.HIGHLY_KNOWN, Category.MAYBE_KNOWN, Category.WEAKLY_KNOWN)


class Question(Record):
    """A closed-book question about one fact."""

    id: NonEmpty
    relation: Text = Field(description="Relation name, e.g. P36 or country_capital.")
    subject: Text = Field(description="The entity the question asks about.")
    question: Text
    answers: list[Text] = Field(
        min_length=1, description="Accepted answers; the first is the one trained on."
    )
    split: Split
    domain: Domain = Field(description="id: in the tuning domain; ood: evaluated only.")
    popularity: float | None = Field(None, description="Source's own scale; for head/tail studies.")


class SetQuestion(Question):
    """A question of a closed-book set beside the facts. If its source names no subject or relation, the
    question is its own subject and the set is its relation.
    """

    commonest: Text = Field(description="The first answer that most rows of the relation have.")


class ChoiceQuestion(Record):
    """A question with choices, at least one of them true and one false."""

    id: NonEmpty
    question: Text
    choices: list[Text] = Field(min_length=2, description="In the source's order.")
    labels: list[Literal[0, 1]] = Field(description="1 true, 0 false; as many as choices.")
    best: int | None = Field(
        None, ge=0, description="Index of the best true choice, which MC1 asks for."
    )
    subject: str | None = Field(None, description="What the question is about; intervals cluster.")
    domain: Domain = "ood"
    commonest: int | None = Field(
        None, description="Index of the choice that is the answer to most facts of the relation."
    )

    @model_validator(mode="after")
    def _true_and_false(self) -> ChoiceQuestion:
        if len(self.labels) != len(self.choices):
            raise ValueError(f"{len(self.choices)} choices but {len(self.labels)} labels")
        if set(self.labels) != {0, 1}:
            raise ValueError("needs at least one true (label 1) and one false (label 0) choice")
        if self.best is not None and (
            self.best >= len(self.choices) or self.labels[self.best] != 1
        ):
            raise ValueError(f"best is {self.best}, which is no true choice")
        return self


class Message(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str


def as_text(side: str | list[Message]) -> str:
    """A prompt or an answer as text; for messages, their contents, one per line."""
    return side if isinstance(side, str) else "\n".join(message.content for message in side)


class Sampling(BaseModel):
    """How answers to a request are drawn. temperature 0 is greedy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n: int = Field(1, ge=1, description="Answers drawn for one request.")
    temperature: float = Field(0.0, ge=0)
    top_k: int = Field(0, ge=0, description="0: no limit.")
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(ge=1)
    stop: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _greedy_once(self) -> Sampling:
        if self.temperature == 0 and self.n > 1:
            raise ValueError("greedy decoding (temperature 0) gives one answer; n must be 1")
        return self


class Request(Record):
    """One prompt to be completed by a checkpoint.

    Requests with the same `series` are served in waves, lowest first. A request with `accept` and with
    `unless_accepted` true is left out once an earlier wave of its series has produced an answer that
    matches `accept` (exact match after normalisation), since its result could no longer change a label.
    """

    id: NonEmpty
    prompt: str | None = None
    messages: list[Message] | None = None
    sampling: Sampling
    purpose: NonEmpty = Field(description="What it is for, e.g. greedy, sampled, closed_book.")
    series: str | None = None
    wave: int = Field(0, ge=0)
    accept: list[str] | None = None
    unless_accepted: bool = False

    @model_validator(mode="after")
    def _one_prompt(self) -> Request:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give exactly one of prompt and messages")
        if self.unless_accepted and (self.series is None or self.accept is None):
            raise ValueError("unless_accepted needs series and accept")
        return self


class Generation(Record):
    """One completion of a request."""

    request: NonEmpty = Field(description="The request's id.")
    purpose: NonEmpty
    index: int = Field(ge=0, description="0..n-1 within the request.")
    text: str = Field(description="Decoded completion without the stop string and end token.")
    token_ids: list[int] = Field(description="As sampled, the end or stop token included.")
    finish: Literal["stop", "length"] = Field(description="stop: a stop string or end token.")
    in_thought: bool = Field(False, description="Whether the prompt ends within a thought.")

    @property
    def answer(self) -> str:
        """The text without the model's thoughts, which are not part of an answer."""
        return without_thoughts(self.text, self.in_thought)

    @property
    def unfinished_thought(self) -> bool:
        """Whether the text breaks off within a thought, so that there is no answer."""
        return is_unclosed(self.text, self.in_thought)


class Annotation(Record):
    """A question's SliCK category, with the shares it was derived from."""

    id: NonEmpty
    relation: NonEmpty
    domain: Domain
    split: Split
    category: Category
    p_greedy: float = Field(ge=0, le=1, description="P_Correct(T=0).")
    p_sampled: float | None = Field(
        None, ge=0, le=1, description="P_Correct(T>0); absent when not every sample was drawn."
    )
    greedy_correct: int
    greedy_total: int
    sampled_correct: int
    sampled_total: int
    exemplar_sets: list[int] = Field(description="Sets used; one holding the question is left out.")


class Example(Record):
    """A training example in TRL's prompt-completion format, plain or conversational."""

    id: NonEmpty
    prompt: str | list[Message]
    completion: str | list[Message]


class Pair(Record):
    """A training pair in TRL's preference format, plain or conversational."""

    id: NonEmpty
    prompt: str | list[Message]
    chosen: str | list[Message]
    rejected: str | list[Message]


class Probe(Record):
    """A question asked after every epoch."""

    id: NonEmpty
    prompt: str | None = None
    messages: list[Message] | None = None
    answers: list[NonEmpty]
    part: Split
    domain: Domain
    category: NonEmpty
    subject: str = Field("", description="Answers about one subject are not independent.")


class Fit(Record):
    """The questions of a group that the model answers right at the end of an epoch."""

    epoch: int = Field(ge=0, description="Whole passes over the training file so far.")
    part: str
    domain: str
    category: str
    right: list[NonEmpty] = Field(description="Ids of the probes that are answered right.")
    n: int = Field(description="All of the group.")

    @property
    def correct(self) -> int:
        return len(self.right)


class Item(Record):
    """A checkpoint's measurements on one item of a task: finite numbers."""

    model_config = ConfigDict(allow_inf_nan=False)

    id: NonEmpty = Field(description="The same for every checkpoint; differences are paired by it.")
    task: NonEmpty
    domain: Domain
    category: NonEmpty = "All"
    cluster: NonEmpty = Field(description="Items of one cluster are not independent, e.g. subject.")
    metrics: dict[NonEmpty, float] = Field(description="By name; one that says nothing is absent.")


class HarnessItem(Item):
    """The measurements of an LM evaluation harness task on one question."""

    prompt_cut: bool = Field(
        False, description="The prompt was too long for the model and lost its beginning."
    )
