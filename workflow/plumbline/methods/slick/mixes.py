"""Fine-tuning sets of new and known facts (Gekhman et al. 2024, sec. 4 and App. K).

All sets of a run take the same number of questions m_r from each relation r: as many as every set can
have. With sets of a single category, that is the smallest of the relation's four category counts, as
in the paper; with only the grid of X, it is limited by Known and Unknown. Sets that share a category
take its questions in the same seeded order, so D_25's Unknown questions are among D_50's, and
differences between sets are not due to the draw.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping

from plumbline.methods.slick.config import Demands
from plumbline.names import FORM_SET
from plumbline.records import KNOWN, Annotation, Category, Example, Question
from plumbline.responses.prompting import closed_book_prompt, response_side
from plumbline.storage.files import DifferentRuns, InputError
from plumbline.training.sets import TrainingSet

IDK = "I don't know"
Pools = dict[tuple[str, str], list[Question]]


def largest_size(count: Mapping[Category, int], demands: Demands) -> int:
    """The largest m such that every set can have m of a relation's questions, given as `count`."""
    unknown = count[Category.UNKNOWN]
    known = sum(count[category] for category in KNOWN)

    def fits(size: int) -> bool:
        # A relation's shares are rounded up or down.
        return (
            math.ceil(size * demands.most_unknown / 100) <= unknown
            and size - math.floor(size * demands.least_unknown / 100) <= known
            and all(size <= count[category] for category in demands.categories)
        )

    # If a size fits, every smaller one does.
    return bisect_left(range(1, unknown + known + 1), True, key=lambda size: not fits(size))


def relation_sizes(
    counts: Mapping[str, Counter], demands: Demands, on_empty: str = "error"
) -> tuple[dict[str, int], list[dict]]:
    """m_r of each relation, and the relations dropped (rows stage, item, reason, n).

    counts: training questions by relation and category. Raises InputError naming each relation that
    cannot give one question to every set, unless `on_empty` is `drop_relation`.
    """
    sizes = {relation: largest_size(count, demands) for relation, count in sorted(counts.items())}
    empty = [relation for relation, size in sizes.items() if size == 0]
    if empty and (on_empty == "error" or len(empty) == len(sizes)):
        what = "; ".join(
            f"{relation} has {', '.join(f'{counts[relation][name]} {name}' for name in Category)}"
            for relation in empty
        )
        raise InputError(
            f"some relations have too few training questions of a category for the sets: {what}. "
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


def form_facts(pools: Pools, counts: Mapping[str, Counter], demands: Demands) -> list[Question]:
    """The HighlyKnown questions that teach how to answer, and that no other set contains.

    They are taken from all relations as evenly as possible: first those that a relation can spare
    without making sets smaller, then others, at most half of what it has. Raises InputError if there
    are none.
    """
    if not demands.form_facts:
        return []
    ranked = []
    for relation, count in sorted(counts.items()):
        size, left = largest_size(count, demands), Counter(count)
        well_known = pools[relation, Category.HIGHLY_KNOWN]
        for number, question in enumerate(well_known[: demands.form_facts]):
            left[Category.HIGHLY_KNOWN] -= 1
            shrinks = largest_size(left, demands) < size
            if not shrinks or number < len(well_known) // 2:
                ranked.append((shrinks, number, relation, question))
    if not ranked:
        raise InputError(
            "too few training questions are HighlyKnown to set any aside for teaching the form. "
            "Set mixes.parent: base, or probe more questions (slick.limit)."
        )
    return [question for *_, question in sorted(ranked, key=lambda place: place[:3])][
        : demands.form_facts
    ]


def build_mix(
    name: str,
    questions: list[Question],
    annotations: list[Annotation],
    demands: Demands,
    *,
    seed: int,
    form: str = "plain",
    on_empty: str = "error",
) -> TrainingSet[Example]:
    """The examples of one set, by its name, with `relation_sizes` and their sum `full_size`.

    unknown-X: D_X, X per cent Unknown in each relation (rounded such that the total is exact);
    known-X: D_X without its Unknown; only-CATEGORY; natural; idk-X: D_X whose Unknown answers are
    "I don't know"; form: the facts that teach only how to answer.
    """
    category = {annotation.id: annotation.category for annotation in annotations}
    if lacking := next(
        (question.id for question in questions if question.id not in category), None
    ):
        raise DifferentRuns(
            f"question {lacking!r} has no annotation",
            "Annotate these questions",
        )
    pool = [question for question in questions if question.split == "train"]
    pool = [question for question in pool if question.domain == "id"]
    kept = form_facts(_ordered_pools(pool, category, seed), _counts(pool, category), demands)
    reserved = {question.id for question in kept}
    pool = [question for question in pool if question.id not in reserved]
    sizes, dropped = relation_sizes(_counts(pool, category), demands, on_empty)
    if name == FORM_SET:
        chosen, sizes, dropped = kept, dict(Counter(question.relation for question in kept)), []
    else:
        chosen = _chosen(name, _ordered_pools(pool, category, seed), sizes)
    chosen.sort(key=lambda question: question.id)
    abstain = name.startswith("idk-")
    examples = [_example(question, category[question.id], form, abstain) for question in chosen]
    counted = {"full_size": sum(sizes.values()), "relation_sizes": sizes}
    return TrainingSet(name, examples, dropped, counted)


def _chosen(name: str, pools: Pools, sizes: dict[str, int]) -> list[Question]:
    kind, _, rest = name.partition("-")
    chosen: list[Question] = []
    if kind in ("unknown", "known", "idk"):
        unknown = unknown_sizes(sizes, float(rest))
        for relation, size in sizes.items():
            if kind != "known":
                chosen += _take(pools[relation, "Unknown"], unknown[relation], name, relation)
            chosen += _take(pools[relation, "Known"], size - unknown[relation], name, relation)
    else:
        for relation, size in sizes.items():
            chosen += _take(pools[relation, rest or "all"], size, name, relation)
    return chosen


def unknown_sizes(sizes: dict[str, int], percent: float) -> dict[str, int]:
    """How many Unknown questions each relation gives, X % of its size.

    Whole numbers by largest remainder: their sum is X % of the whole, rounded, and each is less than
    one away from its exact share. Ties go to the alphabetically first relation. (On grids finer than
    quarters, a relation may rarely give one question fewer for a larger X.)
    """
    exact = {relation: size * percent / 100 for relation, size in sizes.items()}
    given = {relation: int(share) for relation, share in exact.items()}
    missing = round(sum(sizes.values()) * percent / 100) - sum(given.values())
    by_remainder = sorted(exact, key=lambda relation: (given[relation] - exact[relation], relation))
    for relation in by_remainder[:missing]:
        given[relation] += 1
    return given


def _counts(pool: list[Question], category: dict[str, Category]) -> dict[str, Counter]:
    counts: dict[str, Counter] = defaultdict(Counter)
    for question in pool:
        counts[question.relation][category[question.id]] += 1
    return counts


def _ordered_pools(pool: list[Question], category: dict[str, Category], seed: int) -> Pools:
    """Training questions by (relation, category | Known | all), each in one seeded order."""
    pools: Pools = defaultdict(list)
    ordered = sorted(pool, key=lambda question: question.id)
    random.Random(seed).shuffle(ordered)
    for question in ordered:
        of_question = category[question.id]
        pools[question.relation, of_question.value].append(question)
        pools[question.relation, "all"].append(question)
        if of_question in KNOWN:
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
        prompt=closed_book_prompt(question.question, form),
        completion=response_side(answer, form),
        relation=question.relation,
        category=category,
        answers=[IDK] if abstains else question.answers,
    )
