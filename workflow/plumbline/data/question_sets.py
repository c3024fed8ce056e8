"""Published sets of closed-book questions, which are only evaluated; a few serve as examples.

A reader checks that every row follows its format: `InputError` names the file, the line or row, and
what was expected. Rows that are well formed but cannot be used are counted by reason.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, field_validator

from plumbline.config.closed_book import ClosedBookSet
from plumbline.data.entityquestions import TEMPLATES, read_facts
from plumbline.data.select import order
from plumbline.records import NonEmpty, Question, Record, SetQuestion, Text
from plumbline.storage.files import InputError, sha256_json
from plumbline.storage.rows import OwnRow, own_rows, read_any_rows, validated
from plumbline.texts.text import fold, question_key, visible

Tally = Counter[tuple[str, str]]
POPQA_COLUMNS = ("id", "subj", "prop", "obj", "s_pop", "question", "possible_answers")


@dataclass(frozen=True)
class QuestionDraft:
    """A question as in its file; the first answer is the one shown in few-shot examples."""

    question: str
    answers: Sequence[str]
    relation: str | None = None
    subject: str | None = None
    id: str | None = None
    popularity: float | None = None


class OwnQuestion(OwnRow):
    """A closed-book question from the user's own file."""

    id: NonEmpty | None = None
    question: Text
    answers: list[str] = Field(min_length=1)
    relation: Text | None = None
    subject: Text | None = None
    popularity: float | None = None


class PopqaRow(Record):
    """A row of PopQA (Mallen et al. 2023); its other columns are not read."""

    id: int | str
    subj: str
    prop: Text
    obj: str
    s_pop: float | None
    question: str
    possible_answers: list[str]

    @field_validator("possible_answers", mode="before")
    @classmethod
    def _list(cls, given: object) -> object:
        """The TSV has it as text, a JSON list."""
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given)
        except json.JSONDecodeError as error:
            raise ValueError(f"no JSON list of text ({error})") from None

    @field_validator("s_pop", mode="before")
    @classmethod
    def _unknown(cls, given: object) -> object:
        return None if given == "" else given


class NqOpenRow(Record):
    """A row of NQ-open (Lee et al. 2019), as published or as on the hub."""

    question: str
    answer: list[str]


def load_closed_book(
    source: ClosedBookSet, path: Path, shots: int
) -> tuple[list[SetQuestion], list[dict]]:
    """The questions of a set: those asked (split test) and, for each relation, `shots` that are
    shown in few-shot examples (split dev); and what was dropped, as rows of item, reason and n.

    Which ones depends only on ids and `source.seed`, and a larger limit contains a smaller one. No
    question is asked about the subject of one of its relation's examples. Rows that ask the same and
    accept the same answers are one question. Raises `InputError` for a file that is not in the source's
    format, and when no question is left to ask.
    """
    tally: Tally = Counter()
    drafts = _told_apart(path, READERS[source.format](path))
    rows = _unique([row for draft in drafts if (row := _cleaned(draft, source, tally))], tally)
    shown, asked = _divided(rows, source.seed, shots, tally)
    taken = sorted(asked, key=lambda row: order(row.id, source.seed))[: source.limit]
    tally["questions", "over_limit"] += len(asked) - len(taken)
    dropped = [
        {"item": item, "reason": reason, "n": n} for (item, reason), n in sorted(tally.items()) if n
    ]
    if not taken:
        lost = ", ".join(f"{row['n']} {row['reason']} ({row['item']})" for row in dropped)
        raise InputError(
            f"{path}: no question is left to be asked (dropped: {lost or 'none'}). Expected rows of "
            f"format {source.format}, of each relation more than slick.shots ({shots})."
        )
    kept = {row.id: "dev" for row in shown} | {row.id: "test" for row in taken}
    commonest = _commonest(rows)
    return [
        SetQuestion(**row.model_dump() | {"split": kept[row.id]}, commonest=commonest[row.relation])
        for row in rows
        if row.id in kept
    ], dropped


def _told_apart(path: Path, drafts: Iterator[QuestionDraft]) -> Iterator[QuestionDraft]:
    rows: dict[str, int] = {}
    for number, draft in enumerate(drafts, start=1):
        if draft.id is not None and rows.setdefault(draft.id, number) != number:
            raise InputError(
                f"{path}: rows {rows[draft.id]} and {number} have the same id {draft.id!r}; ids must "
                f"be unique. Remove or rename one of them."
            )
        yield draft


def _cleaned(draft: QuestionDraft, source: ClosedBookSet, tally: Tally) -> Question | None:
    answers: dict[str, str] = {}  # by their visible text
    for text in draft.answers:
        if shown := visible(text):
            answers.setdefault(shown, text.strip())
        else:
            tally["answers", "empty_answer"] += 1
    question = draft.question.strip()
    if not visible(question) or not answers:
        tally["questions", "no_answer" if visible(question) else "empty_question"] += 1
        return None
    relation = (draft.relation or "").strip() or source.name
    name = draft.id or sha256_json([relation, question, sorted(answers)])[:12]
    return Question(
        id=f"{source.name}/{name}",
        relation=relation,
        subject=(draft.subject or "").strip() or question,
        question=question,
        answers=list(answers.values()),
        split="test",
        domain=source.domain,
        popularity=draft.popularity,
    )


def _unique(rows: list[Question], tally: Tally) -> list[Question]:
    """Of equal questions, the one with the lowest id, so that the order of rows does not matter."""
    kept: dict[tuple[str, frozenset[str]], Question] = {}
    for row in rows:
        key = question_key(row.question), frozenset(map(fold, row.answers))
        kept[key] = min(row, kept.get(key, row), key=lambda r: r.id)
    tally["questions", "duplicate"] += len(rows) - len(kept)
    return list(kept.values())


def _divided(
    rows: list[Question], seed: int, shots: int, tally: Tally
) -> tuple[list[Question], list[Question]]:
    """The examples of every relation, and the questions that may be asked."""
    relations: dict[str, list[Question]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: order(row.id, seed)):
        relations[row.relation].append(row)
    shown: list[Question] = []
    asked: list[Question] = []
    for group in relations.values():
        examples: dict[str, Question] = {}  # by subject
        for row in group:
            # Answers of several lines would break the prompt's form.
            if len(examples) < shots and len(row.answers[0].splitlines()) == 1:
                examples.setdefault(fold(row.subject), row)
        others = [row for row in group if fold(row.subject) not in examples]
        if len(examples) < shots or not others:
            tally["questions", "too_few_of_the_relation"] += len(group)
            continue
        tally["questions", "shown_as_example"] += shots
        tally["questions", "subject_of_an_example"] += len(group) - len(others) - shots
        shown += examples.values()
        asked += others
    return shown, asked


def _commonest(rows: list[Question]) -> dict[str, str]:
    """The commonest first answer of each relation; of equally common ones, the alphabetically first."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for row in rows:
        counts[row.relation][row.answers[0]] += 1
    return {
        relation: min(seen, key=lambda answer: (-seen[answer], answer))
        for relation, seen in counts.items()
    }


def read_own(path: Path) -> Iterator[QuestionDraft]:
    for row in own_rows(path, OwnQuestion):
        yield QuestionDraft(
            row.question, row.answers, row.relation, row.subject, row.id, row.popularity
        )


def read_popqa(path: Path) -> Iterator[QuestionDraft]:
    """Its TSV, or the same rows as parquet or JSON Lines; the object is the first of the answers."""
    rows = _tsv(path) if path.suffix == ".tsv" else read_any_rows(path, PopqaRow)
    for row in rows:
        answers = [row.obj, *row.possible_answers]
        yield QuestionDraft(row.question, answers, row.prop, row.subj, str(row.id), row.s_pop)


def read_nq_open(path: Path) -> Iterator[QuestionDraft]:
    return (QuestionDraft(row.question, row.answer) for row in read_any_rows(path, NqOpenRow))


def read_entityquestions(path: Path) -> Iterator[QuestionDraft]:
    """The test files of a folder, at any depth, or one of them."""
    paths = sorted(path.rglob("*.test.json")) if path.is_dir() else [path]
    if not paths:
        raise InputError(f"{path}: has no file <relation>.test.json. Name EntityQuestions' folder.")
    for file in paths:
        relation = file.name.partition(".")[0]
        if relation not in TEMPLATES:
            raise InputError(
                f"{file}: {relation} is not a relation of EntityQuestions. Expected files named as it "
                f"names them, such as P36.test.json."
            )
        for fact in read_facts(file, relation):
            yield QuestionDraft(fact.question, fact.answers, relation, fact.subject)


READERS: dict[str, Callable[[Path], Iterator[QuestionDraft]]] = {
    "rows": read_own,
    "popqa": read_popqa,
    "nq_open": read_nq_open,
    "entityquestions": read_entityquestions,
}


def _tsv(path: Path) -> Iterator[PopqaRow]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, delimiter="\t", strict=True, restkey="")
            missing = [name for name in POPQA_COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(
                    f"{path}, line 1: no column {', '.join(missing)}. Expected PopQA's header, "
                    f"separated by tabs."
                )
            for row in reader:
                place = f"line {reader.line_num}"
                if "" in row or None in row.values():
                    raise InputError(
                        f"{path}, {place}: more or fewer cells than the header's "
                        f"{len(reader.fieldnames)}. Get the file again."
                    )
                yield validated(path, place, PopqaRow, row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: cannot be read as TSV ({error}). Expected UTF-8 with tabs; get the file again."
        ) from error
