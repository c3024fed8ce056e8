"""A limited number of the questions, for smaller experiments."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from plumbline.records import Question, Split


def select(
    questions: list[Question], per_relation: dict[Split, int | None], seed: int
) -> tuple[list[Question], list[dict]]:
    """At most `per_relation[split]` questions of every relation and split; None: all of them.

    A split that `per_relation` does not name is kept whole. The selection depends only on ids and the
    seed, not on the order of `questions`, and a larger limit contains a smaller one. Returns them in
    the given order, and for each relation and split a row relation, domain, split, selected,
    not_selected.
    """
    groups: dict[tuple[str, str, Split], list[str]] = defaultdict(list)
    for question in questions:
        groups[question.relation, question.domain, question.split].append(question.id)
    chosen: set[str] = set()
    counts = []
    for (relation, domain, split), ids in groups.items():
        limit = per_relation.get(split)
        taken = sorted(ids, key=lambda name: order(name, seed))[:limit]
        chosen.update(taken)
        counts.append(
            {
                "relation": relation,
                "domain": domain,
                "split": split,
                "selected": len(taken),
                "not_selected": len(ids) - len(taken),
            }
        )
    return [question for question in questions if question.id in chosen], counts


def for_training(facts: Iterable[Question]) -> list[Question]:
    """Questions that may be used to make training data: no fact that the test asks about, and none of a
    relation that is only evaluated, which has no train split.
    """
    return [fact for fact in facts if fact.split == "train"]


def order(name: str, seed: int) -> bytes:
    """A sort key for drawing: it depends only on the id and the seed."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
