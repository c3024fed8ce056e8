"""The filter of training data by the facts that they state (`plumbline.texts.stated`).

A row that states a test fact is never trained on: a test question should show whether the model knew
the fact before.

SliCK's annotation says which facts are Unknown to the base (Gekhman et al. 2024, sec. 3, who find that
training on such facts teaches a model to make things up). Every builder of pairs or examples uses this
filter, so that every method can be run with and without Unknown, or with less of it. What counts are
the facts that a row's target states, read together with its prompt.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from plumbline.records import Annotation, Category, Example, Pair, Question, as_text
from plumbline.storage.files import DifferentRuns, InputError, read_unique_rows
from plumbline.texts import stated

Item = TypeVar("Item", Example, Pair)
Knowing = Literal["known", "unknown", "not_annotated"]
UNKNOWN, TEST_FACT = "Unknown to the base", "states a test fact"  # why a row is dropped


class AnnotatedFacts:
    """Annotated facts, found in a text by their subjects."""

    def __init__(self, questions: Iterable[Question], annotations: Iterable[Annotation]):
        """Raises InputError when the questions and the annotations do not belong together."""
        self._category = {annotation.id: annotation.category for annotation in annotations}
        questions = list(questions)
        for question in questions:
            if question.id not in self._category:
                raise DifferentRuns(
                    f"question {question.id} has no annotation",
                    "Annotate again",
                )
        self._facts = stated.SoughtFacts(
            (question.subject, question.answers, question.id) for question in questions
        )

    def classify(self, prompt: str, target: str) -> Knowing:
        """What the base knows of the facts that the target states, read with the prompt.

        unknown: at least one of them is Unknown; known: there are some, and none is Unknown;
        not_annotated: no annotated fact is stated.
        """
        categories = {self._category[name] for name in self._facts.stated(target, prompt)}
        if not categories:
            return "not_annotated"
        return "unknown" if Category.UNKNOWN in categories else "known"


def keep(
    rows: Sequence[Item], facts: AnnotatedFacts, percent: float, seed: int | str
) -> tuple[list[Item], dict[str, int]]:
    """(rows that are kept, in order; counts known, unknown, not_annotated, unknown_dropped).

    Of n rows that state an Unknown fact, n x `percent` / 100 are kept, rounded half up, drawn with the
    seed and nested: a higher percentage keeps all rows of a lower one. In expectation, this gives each
    row the weight percent / 100, with any trainer.
    """
    kinds = [facts.classify(*sides(row)) for row in rows]
    unknown = [at for at, kind in enumerate(kinds) if kind == "unknown"]
    order = sorted(unknown, key=lambda at: rows[at].id)
    random.Random(f"{seed}:knowledge").shuffle(order)
    dropped = set(order[int(len(order) * percent / 100 + 0.5) :])
    counts = Counter(kinds)
    return (
        [row for at, row in enumerate(rows) if at not in dropped],
        {
            "known": counts["known"],
            "unknown": counts["unknown"],
            "not_annotated": counts["not_annotated"],
            "unknown_dropped": len(dropped),
        },
    )


def sides(row: Example | Pair) -> tuple[str, str]:
    """(prompt, target) as text: the completion of an example, the chosen answer of a pair."""
    target = row.chosen if isinstance(row, Pair) else row.completion
    return as_text(row.prompt), as_text(target)


@dataclass(kw_only=True)
class FilterOptions:
    """The filter's options, for a program that builds training data."""

    test_facts_path: Annotated[
        Path | None, "questions; rows that state one of the test split are dropped"
    ] = None
    annotated_questions_path: Annotated[Path | None, "what was annotated"] = None
    annotations_path: Annotated[Path | None, "how well the base knows them"] = None
    keep_unknown: Annotated[
        float, "per cent kept of what is Unknown to the base; below 100 needs both files"
    ] = 100


def kept(
    rows: Sequence[Item], options: FilterOptions, seed: int | str
) -> tuple[list[Item], dict[str, int]]:
    """The rows that remain under a program's options, and what was counted: `keep`'s counts if it
    filters by knowledge, and test_fact_dropped if test facts are given.

    Raises InputError when the filter lacks a file, or when no row is left.
    """
    left, counts = list(rows), {}
    if options.test_facts_path:
        left = without_test_facts(rows, read_unique_rows(options.test_facts_path, Question))
        counts = {"test_fact_dropped": len(rows) - len(left)}
        if rows and not left:
            raise InputError(
                f"all {len(rows):,} rows state a fact that is asked about in the test, so none is left "
                f"to train on; tune on other data."
            )
    if options.keep_unknown == 100:
        return left, counts
    if options.annotated_questions_path is None or options.annotations_path is None:
        raise InputError(
            f"--keep-unknown {options.keep_unknown:g}: give --annotated-questions and --annotations."
        )
    facts = AnnotatedFacts(
        read_unique_rows(options.annotated_questions_path, Question),
        read_unique_rows(options.annotations_path, Annotation),
    )
    known, filtered = keep(left, facts, options.keep_unknown, seed)
    if left and not known:
        raise InputError(
            f"all {len(left):,} rows state a fact that is Unknown to the base, and keep_unknown "
            f"{options.keep_unknown:g} leaves none of them; raise it, or tune on other data."
        )
    return known, counts | filtered


def without_test_facts(rows: Iterable[Item], questions: Iterable[Question]) -> list[Item]:
    """The rows whose prompt and answers, including rejected ones, state no fact of the test split."""
    facts = stated.SoughtFacts((q.subject, q.answers, q.id) for q in questions if q.split == "test")
    left = []
    for row in rows:
        answers = (row.chosen, row.rejected) if isinstance(row, Pair) else (row.completion,)
        if not stated.in_answers(facts, as_text(row.prompt), map(as_text, answers)):
            left.append(row)
    return left


def counted(counts: dict[str, int]) -> dict:
    """`counts` as a part of a composition.json; nothing without a filter."""
    return {"knowledge": counts} if counts else {}


def dropped_row(stage: str, item: str, counts: dict[str, int]) -> list[dict]:
    """What the filter dropped, by reason, as rows of a composition's `dropped`."""
    reasons = {TEST_FACT: "test_fact_dropped", UNKNOWN: "unknown_dropped"}
    return [
        {"stage": stage, "item": item, "reason": reason, "n": counts[name]}
        for reason, name in reasons.items()
        if counts.get(name)
    ]
