"""Closed-book questions: names of their tasks, and sets beside the questions about the facts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from plumbline.config.base import Limit, Name, Seed, SourceLine
from plumbline.records import Domain

FACTS = "closed_book"  # the set of the run's own facts
# How a set is asked: with few-shot examples, as the paper's instruction and the question in plain
# text, or as a user's turn in the chat template; and the ending that marks it in a task's name.
QuestionForm = Literal["few_shot", "plain", "chat"]
ENDINGS: dict[QuestionForm, str] = {"few_shot": "", "plain": "_plain", "chat": "_chat"}


def closed_book_task(name: str, form: str) -> str:
    """The name of the task of asking a set in a form; KeyError for a form not in ENDINGS."""
    return name + ENDINGS[form]


class ClosedBookSet(SourceLine):
    """Questions with accepted answers, asked of every checkpoint like those about the facts."""

    name: Name = Field(description="The task's name in tables.")
    format: Literal["rows", "popqa", "nq_open", "entityquestions"] = Field(
        description="rows: your own questions and answers, as JSON Lines, JSON, CSV or parquet; "
        "popqa: its TSV; nq_open: rows of question and answer; entityquestions: its folder, or one of "
        "its files <relation>.test.json."
    )
    limit: Limit = Field(None, description="Questions asked; null: all.")
    seed: Seed = Field(
        1, description="Seed that draws the questions asked and the few-shot examples."
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
        """The names of the tasks of asking it, one for each form."""
        return [closed_book_task(self.name, form) for form in ENDINGS]
