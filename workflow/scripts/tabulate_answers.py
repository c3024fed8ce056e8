"""Collect every checkpoint's answers to every question, which the report lets readers browse."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

from plumbline.evaluation.answer_sheets import (
    Given,
    SheetBuilder,
    chosen_answers,
    closed_book_answers,
)
from plumbline.evaluation.choice_scores import ChoiceScore
from plumbline.evaluation.exact_answers import Answer
from plumbline.jobs import program
from plumbline.records import ChoiceQuestion, Question
from plumbline.storage.files import atomic_write, read_rows, read_unique_rows
from pydantic import BaseModel

asked = cache(read_unique_rows)  # the same questions for every checkpoint


class AnswerFile(BaseModel):
    """A checkpoint's answers to questions of one kind."""

    model: str
    checkpoint: str
    seed: int
    kind: Literal["closed_book", "choices"]
    answers: Path
    questions: Path

    def given(self) -> Iterator[Given]:
        if self.kind == "closed_book":
            questions = asked(self.questions, Question)
            return closed_book_answers(questions, read_rows(self.answers, Answer))
        questions = asked(self.questions, ChoiceQuestion)
        return chosen_answers(questions, read_rows(self.answers, ChoiceScore))


def main(*, rows: list[AnswerFile], answers_path: Path) -> None:
    builder = SheetBuilder()
    for row in rows:
        builder.add(row.model, row.checkpoint, row.seed, row.given())
    made = builder.sheets()
    with atomic_write(answers_path) as stream:
        stream.write(made.model_dump_json() + "\n")
    program.log.info(f"{len(made.sheets):,} sheets of answers, {len(made.texts):,} texts")


if __name__ == "__main__":
    program.cli(main)
