"""Closed-book question answering: exact match by domain and SliCK category."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from pydantic import Field

from plumbline.evaluation.items import versus
from plumbline.evaluation.statistics import Estimate, paired_difference, share
from plumbline.files import InputError
from plumbline.matching import Mode, exact_match, is_abstention
from plumbline.records import (
    Annotation,
    Category,
    Generation,
    Metric,
    NonEmpty,
    Question,
    Record,
    Request,
    Sampling,
)

TASK = "closed_book"


class Answer(Record):
    """A checkpoint's answer to a test question."""

    id: NonEmpty
    relation: NonEmpty
    subject: NonEmpty
    domain: NonEmpty
    category: NonEmpty
    output: str
    correct: bool
    abstained: bool
    unfinished_thought: bool = Field(
        False, description="Whether there is no answer, since the model was still thinking."
    )
    majority_correct: bool = Field(
        description="Whether the relation's commonest training answer would have been right."
    )


def closed_book_request(question: Question, prompt, sampling: Sampling) -> Request:
    """The request that asks a checkpoint one question; `prompt` is text or messages.

    Stop strings are for text: a chat model ends by itself, and may think over several lines first.
    """
    side = "prompt" if isinstance(prompt, str) else "messages"
    if side == "messages":
        sampling = sampling.model_copy(update={"stop": ()})
    return Request(
        id=f"{question.id}/{TASK}",
        purpose=TASK,
        sampling=sampling,
        question=question.id,
        **{side: prompt},
    )


def judge(
    questions: list[Question],
    annotations: list[Annotation],
    requests: list[Request],
    generations: Iterable[Generation],
    match: Mode,
) -> Iterator[Answer]:
    """Answers in the order of the requests. InputError when a request has no answer."""
    by_id = {question.id: question for question in questions}
    category = {annotation.id: annotation.category.value for annotation in annotations}
    majority = majority_answers(questions)
    given = {generation.request: generation for generation in generations}
    for request in requests:
        question = by_id[request.question]
        if request.id not in given:
            raise InputError(f"request {request.id} was not answered; generate again.")
        text = given[request.id].answer
        yield Answer(
            id=question.id,
            relation=question.relation,
            subject=question.subject,
            domain=question.domain,
            category=category[question.id],
            output=text,
            correct=exact_match(text, question.answers, match),
            abstained=is_abstention(text),
            unfinished_thought=given[request.id].unfinished_thought,
            majority_correct=exact_match(majority[question.relation], question.answers, match),
        )


def majority_answers(questions: list[Question]) -> dict[str, str]:
    """Each relation's commonest first answer in train, or in dev where it has no train."""
    counts: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for question in questions:
        counts[question.relation, question.split][question.answers[0]] += 1
    majority = {}
    for relation in {question.relation for question in questions}:
        seen = counts[relation, "train"] or counts[relation, "dev"]
        majority[relation] = min(seen, key=lambda answer: (-seen[answer], answer), default="")
    return majority


def closed_book_metrics(
    answers: list[Answer],
    base: list[Answer],
    of_parent: list[Answer] | None = None,
    *,
    model: str,
    seed: int,
    checkpoint: str,
    parent: str,
    confidence: float,
    resamples: int,
) -> Iterator[Metric]:
    """Rows `em`, `em_vs_base`, `em_vs_parent`, and where they say something `majority_em`,
    `answered`, `em_answered`, for each domain, over all questions and by category.

    `base` holds the base's answers to the same questions, `of_parent` those of the parent where
    that is another checkpoint. Empty groups give no row.
    """
    others = versus(answers, base, of_parent, checkpoint=checkpoint, parent=parent)
    common = {"model": model, "seed": seed, "checkpoint": checkpoint, "parent": parent}
    abstains = any(answer.abstained for answer in answers)
    for domain in ("id", "ood"):
        for category in ("All", *(one.value for one in Category)):
            group = [
                answer
                for answer in answers
                if answer.domain == domain and category in ("All", answer.category)
            ]
            if not group:
                continue
            found: dict[str, Estimate] = {
                "em": share(sum(a.correct for a in group), len(group), confidence)
            }
            if checkpoint == "base":
                right = sum(a.majority_correct for a in group)
                found["majority_em"] = share(right, len(group), confidence)
            for against, theirs in others.items():
                found[f"em_vs_{against}"] = paired_difference(
                    [a.correct for a in group],
                    [theirs[a.id].correct for a in group],
                    [a.subject for a in group],
                    confidence=confidence,
                    resamples=resamples,
                )
            if abstains:
                answered = [a for a in group if not a.abstained]
                found["answered"] = share(len(answered), len(group), confidence)
                if answered:
                    right = sum(a.correct for a in answered)
                    found["em_answered"] = share(right, len(answered), confidence)
            for metric, estimate in found.items():
                yield Metric(
                    **common,
                    task=TASK,
                    domain=domain,
                    split="test",
                    category=category,
                    metric=metric,
                    value=estimate.value,
                    low=estimate.low,
                    high=estimate.high,
                    n=estimate.n,
                )
