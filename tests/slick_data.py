"""Made-up questions and annotations for tests of SliCK, training sets and evaluation."""

from __future__ import annotations

from plumbline.records import Annotation, Category, Question


def question(relation: str, number: int, split: str = "train", domain: str = "id", **changes):
    """Question `number` of a relation; its subject and answer are made from that number."""
    fields = {
        "id": f"{relation}/{split}/{number}",
        "relation": relation,
        "subject": f"{relation} {split} subject {number}",
        "question": f"What is the {relation} of {split} {number}?",
        "answers": [f"{relation} answer {number}"],
        "split": split,
        "domain": domain,
    }
    return Question(**{**fields, **changes})


def annotation(question: Question, category: Category) -> Annotation:
    """An annotation with counts that fit the category (four sets, four samples each)."""
    greedy = {Category.HIGHLY_KNOWN: 4, Category.MAYBE_KNOWN: 2}.get(category, 0)
    sampled = 0 if category == Category.UNKNOWN else 3
    return Annotation(
        id=question.id,
        relation=question.relation,
        domain=question.domain,
        split=question.split,
        category=category,
        p_greedy=greedy / 4,
        p_sampled=sampled / 16,
        greedy_correct=greedy,
        greedy_total=4,
        sampled_correct=sampled,
        sampled_total=16,
        exemplar_sets=[0, 1, 2, 3],
    )
