"""Closed-book question answering: exact match by domain and SliCK category.

Every checkpoint is asked in every form of the run, each of which is a task of its own: an answer
is compared with those to the same question in the same form, and with no others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pydantic import Field

from plumbline.files import InputError
from plumbline.lineage import BASE
from plumbline.matching import Mode, exact_match, is_abstention
from plumbline.records import (
    Annotation,
    Generation,
    Item,
    NonEmpty,
    Question,
    Record,
    Request,
    Sampling,
)

# The tasks by how questions are asked: after worked examples, as the paper's instruction and the
# question in plain text, or as a user's turn in the chat template.
TASKS = {"few_shot": "closed_book", "plain": "closed_book_plain", "chat": "closed_book_chat"}


class Answer(Record):
    """A checkpoint's answer to a test question in one form."""

    id: NonEmpty = Field(description="<question>/<task>.")
    task: NonEmpty = Field(description="One of TASKS.")
    question: NonEmpty = Field(description="The question's id.")
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


def closed_book_request(question: Question, form: str, prompt, sampling: Sampling) -> Request:
    """The request that asks a checkpoint one question in a form; `prompt` is text or messages.

    Stop strings are for text: a chat model ends by itself, and may think over several lines first.
    """
    side = "prompt" if isinstance(prompt, str) else "messages"
    if side == "messages":
        sampling = sampling.model_copy(update={"stop": ()})
    return Request(
        id=f"{question.id}/{TASKS[form]}",
        purpose=TASKS[form],
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
            id=request.id,
            task=request.purpose,
            question=question.id,
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


def answer_items(answers: Sequence[Answer], checkpoint: str) -> list[Item]:
    """Answers as measured items: `em`, and where they say something `majority_em` (of the base),
    and `answered` and `em_answered` (of answers that are no abstentions) where any abstains.
    """
    abstains = any(answer.abstained for answer in answers)
    items = []
    for answer in answers:
        metrics = {"em": float(answer.correct)}
        if checkpoint == BASE:
            metrics["majority_em"] = float(answer.majority_correct)
        if abstains:
            metrics["answered"] = float(not answer.abstained)
        if abstains and not answer.abstained:
            metrics["em_answered"] = float(answer.correct)
        items.append(
            Item(
                id=answer.id,
                task=answer.task,
                domain=answer.domain,
                category=answer.category,
                cluster=answer.subject,
                metrics=metrics,
            )
        )
    return items
