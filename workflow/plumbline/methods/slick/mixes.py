"""Fine-tuning sets of new and known facts (Gekhman et al. 2024, sec. 4 and App. K).

All sets take the same number of questions m_r from each relation r: the smallest of the
relation's four category counts. Sets that share a category take it from the same seeded order, so
D_25's Unknown questions are among D_50's, and differences between sets are not those of the draw.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass

from plumbline.files import InputError
from plumbline.records import KNOWN, Annotation, Category, Example, Message, Question

IDK = "I don't know"
INSTRUCTION = "Answer the following question."


@dataclass(frozen=True)
class Mix:
    """Examples of one set with what was counted while it was built."""

    examples: list[Example]
    sizes: dict[str, int]
    dropped: list[dict]


def tuning_prompt(question: str, form: str) -> str | list[Message]:
    """The prompt a tuned model is trained on and asked with.

    form `plain`: the paper's instruction and the question, then a line break; `chat`: the question
    as a user's turn, rendered by the model's chat template.
    """
    if form == "chat":
        return [Message(role="user", content=question)]
    return f"{INSTRUCTION}\n{question}\n"


def relation_sizes(
    questions: list[Question], category: dict[str, Category], on_empty: str = "error"
) -> tuple[dict[str, int], list[dict]]:
    """m_r of each relation, and the relations dropped (rows stage, item, reason, n).

    Raises InputError naming each relation that has a category without training questions, unless
    `on_empty` is `drop_relation`.
    """
    counts: dict[str, Counter] = defaultdict(Counter)
    for question in _pool(questions):
        counts[question.relation][category[question.id]] += 1
    sizes = {
        relation: min(count[one] for one in Category) for relation, count in sorted(counts.items())
    }
    empty = [relation for relation, size in sizes.items() if size == 0]
    if empty and (on_empty == "error" or len(empty) == len(sizes)):
        what = "; ".join(
            f"{relation} has no {', '.join(one for one in Category if not counts[relation][one])}"
            for relation in empty
        )
        raise InputError(
            f"some relations lack a knowledge category among their training questions: {what}. "
            f"Leave these relations out of facts.relations, probe more questions (slick.limit), or "
            f"set mixes.on_empty: drop_relation."
        )
    dropped = [
        {
            "stage": "mixes",
            "item": relation,
            "reason": "relation_lacks_a_category",
            "n": counts[relation].total(),
        }
        for relation in empty
    ]
    return {relation: size for relation, size in sizes.items() if size}, dropped


def build_mix(
    name: str,
    questions: list[Question],
    annotations: list[Annotation],
    *,
    seed: int,
    form: str = "plain",
    on_empty: str = "error",
) -> Mix:
    """The examples of one set, by its name.

    unknown-X: D_X, X per cent Unknown in each relation (rounded so that the total is exact);
    known-X: D_X without its Unknown; only-CATEGORY; natural; idk-X: D_X whose Unknown answers are
    "I don't know".
    """
    category = {annotation.id: annotation.category for annotation in annotations}
    if lacking := next((one.id for one in questions if one.id not in category), None):
        raise InputError(
            f"question {lacking!r} has no annotation; the two files are of different runs. Annotate "
            f"these questions."
        )
    sizes, dropped = relation_sizes(questions, category, on_empty)
    pools = _ordered_pools(questions, category, seed)
    kind, _, rest = name.partition("-")
    chosen: list[Question] = []
    if kind in ("unknown", "known", "idk"):
        unknown = unknown_sizes(sizes, float(rest))
        for relation, size in sizes.items():
            if kind != "known":
                chosen += pools[relation, "Unknown"][: unknown[relation]]
            chosen += _take(pools[relation, "Known"], size - unknown[relation], name, relation)
    elif kind == "only":
        for relation, size in sizes.items():
            chosen += pools[relation, rest][:size]
    else:
        for relation, size in sizes.items():
            chosen += pools[relation, "all"][:size]
    chosen.sort(key=lambda question: question.id)
    examples = [
        _example(question, category[question.id], form, abstain=kind == "idk")
        for question in chosen
    ]
    return Mix(examples, sizes, dropped)


def unknown_sizes(sizes: dict[str, int], percent: float) -> dict[str, int]:
    """How many Unknown questions each relation gives, X % of its size.

    Whole numbers by largest remainder: their sum is X % of the whole, rounded, and none is more
    than one away from its exact share. Ties go to the relation first in the alphabet. (On grids
    finer than quarters a relation can rarely give one question fewer for a larger X.)
    """
    exact = {relation: size * percent / 100 for relation, size in sizes.items()}
    given = {relation: int(share) for relation, share in exact.items()}
    missing = round(sum(sizes.values()) * percent / 100) - sum(given.values())
    by_remainder = sorted(exact, key=lambda relation: (given[relation] - exact[relation], relation))
    for relation in by_remainder[:missing]:
        given[relation] += 1
    return given


def _pool(questions: list[Question]) -> list[Question]:
    return [q for q in questions if q.split == "train" and q.domain == "id"]


def _ordered_pools(questions, category, seed) -> dict[tuple[str, str], list[Question]]:
    """Training questions by (relation, category | Known | all), each in one seeded order."""
    pools: dict[tuple[str, str], list[Question]] = defaultdict(list)
    ordered = sorted(_pool(questions), key=lambda question: question.id)
    random.Random(seed).shuffle(ordered)
    for question in ordered:
        own = category[question.id]
        pools[question.relation, own.value].append(question)
        pools[question.relation, "all"].append(question)
        if own in KNOWN:
            pools[question.relation, "Known"].append(question)
    return pools


def _take(pool: list[Question], size: int, name: str, relation: str) -> list[Question]:
    if len(pool) < size:
        raise InputError(f"mix {name}: relation {relation} has {len(pool)} of {size} questions.")
    return pool[:size]


def _example(question: Question, category: Category, form: str, abstain: bool) -> Example:
    abstains = abstain and category == Category.UNKNOWN
    answer = IDK if abstains else question.answers[0]
    return Example(
        id=question.id,
        prompt=tuning_prompt(question.question, form),
        completion=[Message(role="assistant", content=answer)] if form == "chat" else answer,
        relation=question.relation,
        category=category,
        answers=[IDK] if abstains else question.answers,
    )
