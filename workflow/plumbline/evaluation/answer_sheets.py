"""Every checkpoint's answer to every question, for readers to browse.

A sheet is one task of a model. Its columns are as short as possible, since a page contains them all:
texts are stored once, answers as indices of texts, and right and wrong as a string of 1 and 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field

from plumbline.evaluation.choice_scores import ChoiceScore
from plumbline.evaluation.exact_answers import Answer
from plumbline.evaluation.items import check_same
from plumbline.records import ChoiceQuestion, Item, Question

Right = Literal["em", "acc"]


class AskedQuestion(BaseModel):
    """A question, SliCK's category of it, and the right answers."""

    text: str
    accepted: list[str]
    domain: str
    split: str
    relation: str = Field(description="Empty if the source names none.")
    category: str


class Column(BaseModel):
    """A checkpoint's answers, in the order of the sheet's questions."""

    checkpoint: str
    seed: int
    outputs: list[int] = Field(description="Indices of texts.")
    right: str = Field(description="1 or 0 an answer.")


class Sheet(BaseModel):
    """The answers to one task; the mean of `right` is the metric of that name in metrics.csv."""

    model: str
    task: str
    metric: Right
    questions: list[AskedQuestion]
    columns: list[Column] = []


class AnswerSheets(BaseModel):
    texts: list[str]
    sheets: list[Sheet]


class Given(NamedTuple):
    """An answer: the item it was measured as, the question, and what was said."""

    item: Item
    question: AskedQuestion
    output: str
    metric: Right


def closed_book_answers(
    questions: Sequence[Question], answers: Iterable[Answer]
) -> Iterator[Given]:
    by_id = {question.id: question for question in questions}
    for answer in answers:
        asked = by_id[answer.question]
        question = AskedQuestion(
            text=asked.question,
            accepted=asked.answers,
            domain=answer.domain,
            split=asked.split,
            relation=asked.relation,
            category=answer.category,
        )
        yield Given(answer, question, answer.output, "em")


def chosen_answers(
    questions: Sequence[ChoiceQuestion], scores: Iterable[ChoiceScore]
) -> Iterator[Given]:
    """The likeliest choice of each question; among equal ones the first, as for `acc`."""
    by_id = {question.id: question for question in questions}
    for score in scores:
        asked = by_id[score.id.removeprefix(f"{score.task}/")]
        question = AskedQuestion(
            text=asked.question,
            accepted=[c for c, label in zip(asked.choices, asked.labels, strict=True) if label],
            domain=score.domain,
            split="test",
            relation="",
            category=score.category,
        )
        likeliest = score.logprobs.index(max(score.logprobs))
        yield Given(score, question, asked.choices[likeliest], "acc")


class SheetBuilder:
    """Builds the sheets of a run file by file, so that no more than one file is in memory in full."""

    def __init__(self):
        self._texts: dict[str, int] = {}
        self._sheets: dict[tuple[str, str], Sheet] = {}
        self._ids: dict[tuple[str, str], list[str]] = {}

    def add(self, model: str, checkpoint: str, seed: int, answers: Iterable[Given]) -> None:
        """Add a checkpoint's answers to one or several tasks.

        The first checkpoint of a task determines its questions; InputError if another one has others.
        """
        by_task: dict[str, dict[str, Given]] = {}
        for given in answers:
            by_task.setdefault(given.item.task, {})[given.item.id] = given
        for task, by_id in by_task.items():
            ids = self._ids.setdefault((model, task), list(by_id))
            check_same(checkpoint, by_id, self._first(model, task, checkpoint), ids)
            ordered = [by_id[name] for name in ids]
            sheet = self._sheets.setdefault(
                (model, task),
                Sheet(
                    model=model,
                    task=task,
                    metric=ordered[0].metric,
                    questions=[given.question for given in ordered],
                ),
            )
            sheet.columns.append(
                Column(
                    checkpoint=checkpoint,
                    seed=seed,
                    outputs=[self._place(given.output) for given in ordered],
                    right="".join(str(int(given.item.metrics[given.metric])) for given in ordered),
                )
            )

    def sheets(self) -> AnswerSheets:
        return AnswerSheets(texts=list(self._texts), sheets=list(self._sheets.values()))

    def _first(self, model: str, task: str, checkpoint: str) -> str:
        """The checkpoint whose answers began a sheet."""
        sheet = self._sheets.get((model, task))
        return sheet.columns[0].checkpoint if sheet else checkpoint

    def _place(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))
