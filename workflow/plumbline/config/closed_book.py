"""Closed-book questions: what their tasks are called, and sets beside the questions about the facts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from plumbline.config.base import Limit, Name, Seed, SourceLine
from plumbline.records import Domain

FACTS = "closed_book"  # the set of the run's own facts
# How a set is asked: after worked examples, as the paper's instruction and the question in plain
# text, or as a user's turn in the chat template; and how a task's name tells it.
QuestionForm = Literal["few_shot", "plain", "chat"]
ENDINGS: dict[QuestionForm, str] = {"few_shot": "", "plain": "_plain", "chat": "_chat"}


def closed_book_task(name: str, form: str) -> str:
    """The task of asking a set in a form; KeyError for another form than those of ENDINGS."""
    return name + ENDINGS[form]


class ClosedBookSet(SourceLine):
    """Questions with accepted answers that every checkpoint is asked as it is asked about the facts."""

    name: Name = Field(description="The task's name in tables.")
    format: Literal["rows", "popqa", "nq_open", "entityquestions"] = Field(
        description="rows: your own questions and answers, as JSON Lines, JSON, CSV or parquet; "
        "popqa: its TSV; "
        "nq_open: rows of question and answer; entityquestions: its folder or one of its "
        "<relation>.test.json."
    )
    limit: Limit = Field(None, description="Questions asked; null: all.")
    seed: Seed = Field(
        1, description="Seed of which questions are asked, and of the worked examples."
    )
    domain: Domain = Field("ood", description="id: in the tuning domain; ood: outside.")

    @model_validator(mode="after")
    def _no_form(self):
        if ending := next((end for end in ENDINGS.values() if end and self.name.endswith(end)), ""):
            raise ValueError(
                f"name: {self.name} ends in {ending}, which marks the form of a set; choose another"
            )
        return self

    def tasks(self) -> list[str]:
        """The tasks of asking it in each form there is."""
        return [closed_book_task(self.name, form) for form in ENDINGS]
