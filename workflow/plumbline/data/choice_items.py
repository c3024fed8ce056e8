"""Choice questions from any source: cleaned, unique, limited in number, and in a fixed order."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

from plumbline.config.choices import ChoiceSource
from plumbline.data.choice_formats import READERS, ChoiceDraft, Tally
from plumbline.data.fact_choices import from_facts
from plumbline.data.select import order
from plumbline.records import ChoiceQuestion, Domain, Question
from plumbline.storage.files import InputError, sha256_json
from plumbline.texts.text import question_key, visible

# Formats whose order of choices is not worth keeping: the right one is always first, or hardly ever.
UNORDERED = ("labelled", "promptukit", "truthfulqa_binary")


def load_choices(
    source: ChoiceSource,
    path: Path | None,
    questions: list[Question] | None,
    domain: Domain = "ood",
) -> tuple[list[ChoiceQuestion], list[dict]]:
    """The choice questions of a source, in its order, and what was dropped.

    path: the source's file; questions: for the format facts instead, all questions about the facts.
    domain: of every question, including own rows; those made from facts keep theirs.

    Choices are stripped; empty ones and repetitions are dropped. A question is a duplicate if both
    question and choices equal another's: "Which of these is true?" may be asked twice. Which questions
    `source.limit` selects and how choices are shuffled depends only on ids and `source.seed`, not on
    the order of rows.

    Dropped: rows item ("questions", "choices", or the relation of a fact), reason, n. Raises
    `InputError` for a file that is not in the source's format, and if no question is left.
    """
    tally: Tally = Tally()
    if source.format == "facts":
        rows = from_facts(questions or [], source, tally)
    else:
        drafts = READERS[source.format](path, tally)
        cleaned = [_cleaned(draft, domain, tally) for draft in drafts]
        rows = _unique([row for row in cleaned if row is not None], tally)
        rows = _limited(rows, source, tally)
        if source.format in UNORDERED:
            rows = [_shuffled(row, source.seed) for row in rows]
    dropped = [
        {"item": item, "reason": reason, "n": n} for (item, reason), n in sorted(tally.items()) if n
    ]
    if not rows:
        lost = ", ".join(f"{row['n']} {row['reason']} ({row['item']})" for row in dropped)
        where = path or "facts, split test"
        raise InputError(
            f"{where}: no choice question is left (dropped: {lost or 'none'}). Expected rows of "
            f"format {source.format}."
        )
    return rows, dropped


def overlap(
    questions: Iterable[ChoiceQuestion | Question], others: Iterable[ChoiceQuestion | Question]
) -> set[str]:
    """Ids of those `questions` that are also among `others`."""
    asked = {question_key(other.question) for other in others}
    return {question.id for question in questions if question_key(question.question) in asked}


def _cleaned(draft: ChoiceDraft, domain: Domain, tally: Tally) -> ChoiceQuestion | None:
    labels: dict[str, int] = {}
    spelled: dict[str, str] = {}  # by their visible text
    for text, label in draft.choices:
        if not (shown := visible(text)):
            tally["choices", "empty_choice"] += 1
            continue
        tally["choices", "identical_choice"] += shown in spelled
        text = spelled.setdefault(shown, text.strip())
        labels[text] = max(label, labels.get(text, label))
    for label, reason in ((1, "no_true_choice"), (0, "no_false_choice")):
        if label not in labels.values():
            tally["questions", reason] += 1
            return None
    choices, values = list(labels), list(labels.values())
    question = draft.question.strip()
    if not visible(question):
        tally["questions", "empty_question"] += 1
        return None
    if draft.best is not None:
        best = choices.index(spelled[visible(draft.best)])
    else:
        best = values.index(1) if sum(values) == 1 else None
    return ChoiceQuestion(
        **draft.extra,
        id=draft.id or sha256_json([question, sorted(choices)])[:12],
        question=question,
        choices=choices,
        labels=values,
        best=best,
        subject=draft.subject,
        domain=domain,
    )


def _unique(rows: list[ChoiceQuestion], tally: Tally) -> list[ChoiceQuestion]:
    """Of equal questions, the one with the lowest id, so that the order of rows does not matter."""
    kept: dict[tuple[str, frozenset[str]], ChoiceQuestion] = {}
    for row in rows:
        key = question_key(row.question), frozenset(map(visible, row.choices))
        kept[key] = min(row, kept.get(key, row), key=lambda r: (r.id, r.choices, r.labels))
    tally["questions", "duplicate"] += len(rows) - len(kept)
    return list(kept.values())


def _limited(
    rows: list[ChoiceQuestion], source: ChoiceSource, tally: Tally
) -> list[ChoiceQuestion]:
    drawn = sorted(rows, key=lambda row: order(row.id, source.seed))
    taken = {row.id for row in drawn[: source.limit]}
    tally["questions", "over_limit"] += len(rows) - len(taken)
    return [row for row in rows if row.id in taken]


def _shuffled(row: ChoiceQuestion, seed: int) -> ChoiceQuestion:
    # Sorted first, so that the order of a file's rows does not matter.
    order = sorted(range(len(row.choices)), key=lambda index: row.choices[index])
    random.Random(f"{seed}:{row.id}").shuffle(order)
    return row.model_copy(
        update={
            "choices": [row.choices[index] for index in order],
            "labels": [row.labels[index] for index in order],
            "best": None if row.best is None else order.index(row.best),
        }
    )
