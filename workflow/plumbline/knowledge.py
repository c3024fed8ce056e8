"""The knowledge filter: training data without, or with less of, what the base does not know.

SliCK's annotation says which facts are Unknown to the base (Gekhman et al. 2024, sec. 3), whose
paper finds that training on them teaches a model to make things up. Any builder of pairs or
examples takes this filter, so that every method can be had with and without Unknown.

Ours: an item *states* a fact when its prompt or target names the fact's subject and its target
names one of its accepted answers. Names are whole words, compared without case, accents,
punctuation and a leading article; a name of one word of up to three letters (the symbol In, the
film It) must be written as it is. All annotated facts count, those of the test split too, since
what a model does not know is no less unknown to it there.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from plumbline.files import InputError, read_unique_rows
from plumbline.records import Annotation, Category, Example, Pair, Question, as_text
from plumbline.text import ARTICLES, fold, seen, words

Item = TypeVar("Item", Example, Pair)
Knowing = Literal["known", "unknown", "not_annotated"]
REASON = "Unknown to the base"


class Facts:
    """Annotated facts, found in a text by their subjects."""

    def __init__(self, questions: Iterable[Question], annotations: Iterable[Annotation]):
        """Raises InputError when a question and the annotations do not belong together."""
        category = {one.id: one.category for one in annotations}
        # By the subject's words: accepted answers' words, and whether the fact is Unknown.
        self._facts: dict[tuple, list[tuple[list[tuple], bool]]] = defaultdict(list)
        for one in questions:
            if one.id not in category:
                raise InputError(
                    f"question {one.id} has no annotation; the two files are of different runs. "
                    f"Annotate again."
                )
            subject, answers = _name(one.subject), [_name(answer) for answer in one.answers]
            unknown = category[one.id] == Category.UNKNOWN
            self._facts[subject].append((answers, unknown))
        self._subject_lengths = {len(subject) for subject in self._facts} - {0}
        self._answer_lengths = {
            len(answer)
            for facts in self._facts.values()
            for answers, _ in facts
            for answer in answers
        } - {0}

    def classify(self, prompt: str, target: str) -> Knowing:
        """What the base knows of the facts that are stated.

        unknown: at least one of them is Unknown; known: there are some, none Unknown;
        not_annotated: no annotated fact is stated.
        """
        lengths = self._subject_lengths
        subjects = _names(prompt, lengths) | _names(target, lengths)
        stated = _names(target, self._answer_lengths)
        found = [
            unknown
            for subject in subjects & self._facts.keys()
            for answers, unknown in self._facts[subject]
            if not stated.isdisjoint(answers)
        ]
        return "not_annotated" if not found else "unknown" if any(found) else "known"


def keep(
    rows: Sequence[Item], facts: Facts, percent: float, seed: int | str
) -> tuple[list[Item], dict[str, int]]:
    """(rows that are kept, in their order; counts known, unknown, not_annotated, unknown_dropped).

    Of n rows that state an Unknown fact n x `percent` / 100 are kept, rounded half up, drawn by
    the seed and nested: a higher percentage keeps what a lower one does. This gives each the
    weight percent / 100 in expectation, with any trainer.
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


def add_options(parser: argparse.ArgumentParser) -> None:
    """The filter's options of a program that builds training data."""
    parser.add_argument("--annotated-questions", type=Path, help="what was annotated")
    parser.add_argument("--annotations", type=Path, help="their SliCK categories")
    parser.add_argument(
        "--keep-unknown",
        type=float,
        default=100,
        help="per cent kept of what is Unknown to the base; below 100 needs both files",
    )


def kept(
    rows: Sequence[Item], args: argparse.Namespace, seed: int | str
) -> tuple[list[Item], dict[str, int]]:
    """`keep` by a program's options; without a filter (100) all rows and no counts.

    Raises InputError when the filter lacks a file, or leaves none of the rows.
    """
    if args.keep_unknown == 100:
        return list(rows), {}
    if args.annotated_questions is None or args.annotations is None:
        raise InputError(
            f"--keep-unknown {args.keep_unknown:g}: give --annotated-questions and --annotations."
        )
    facts = Facts(
        read_unique_rows(args.annotated_questions, Question),
        read_unique_rows(args.annotations, Annotation),
    )
    left, counts = keep(rows, facts, args.keep_unknown, seed)
    if rows and not left:
        raise InputError(
            f"all {len(rows):,} rows state a fact that is Unknown to the base, and keep_unknown "
            f"{args.keep_unknown:g} leaves none of them; raise it, or tune on other data."
        )
    return left, counts


def counted(counts: dict[str, int]) -> dict:
    """`counts` as a part of a composition.json; nothing without a filter."""
    return {"knowledge": counts} if counts else {}


def dropped_row(stage: str, item: str, counts: dict[str, int]) -> list[dict]:
    """What the filter dropped as a row of a composition's `dropped`; none if it dropped nothing."""
    n = counts.get("unknown_dropped", 0)
    return [{"stage": stage, "item": item, "reason": REASON, "n": n}] if n else []


def _name(text: str) -> tuple[str, ...]:
    """What a name is found by."""
    found = words(seen(text))
    leading = len(found) > 1 and found[0].casefold() in ARTICLES
    return _key(found[leading:], [fold(word) for word in found[leading:]])


def _names(text: str, lengths: Iterable[int]) -> set[tuple[str, ...]]:
    """All runs of words in a text that have one of these lengths, as names are found by."""
    found = words(seen(text))
    folded = [fold(word) for word in found]
    return {
        _key(found[at : at + n], folded[at : at + n])
        for n in lengths
        for at in range(len(found) - n + 1)
    }


def _key(written: list[str], folded: list[str]) -> tuple[str, ...]:
    short = len(written) == 1 and len(written[0]) <= 3
    return tuple(written if short else folded)
