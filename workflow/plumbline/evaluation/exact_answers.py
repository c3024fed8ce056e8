"""Closed-book question answering: exact match by domain and SliCK category.

Every checkpoint is asked in every form of the run, each of which is a task of its own: an answer is
compared only with answers to the same question in the same form.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from plumbline.config.closed_book import ENDINGS, FACTS, closed_book_task
from plumbline.generation.answered import answered
from plumbline.records import (
    Generation,
    Item,
    NonEmpty,
    Question,
    Request,
    Sampling,
)
from plumbline.texts.matching import Mode, exact_match, is_abstention

# The tasks of the questions about the facts, by the form in which they are asked.
TASKS = {form: closed_book_task(FACTS, form) for form in ENDINGS}


class Answer(Item):
    """A checkpoint's answer to a test question in one form, measured; clusters are subjects.

    Metrics: `em` (exact match, 1 or 0); for the base `majority_em`, the score of the relation's
    commonest answer; and if any answer of the file abstains, `answered`, and `em_answered` for the
    answers that do not. Questions of a set that SliCK has not probed have only the category All.
    """

    question: NonEmpty = Field(description="The question's id.")
    relation: NonEmpty
    output: str
    abstained: bool
    unfinished_thought: bool = Field(
        False, description="There is no answer, since the model was still thinking."
    )

    @property
    def correct(self) -> bool:
        return self.metrics["em"] == 1


def closed_book_request(question: Question, task: str, prompt, sampling: Sampling) -> Request:
    """The request that asks a checkpoint one question; `prompt` is text or messages.

    Stop strings are only for text: a chat model ends by itself, and may first think for several lines.
    """
    side = "prompt" if isinstance(prompt, str) else "messages"
    if side == "messages":
        sampling = sampling.model_copy(update={"stop": ()})
    return Request(
        id=f"{question.id}/{task}",
        purpose=task,
        sampling=sampling,
        question=question.id,
        **{side: prompt},
    )


def judge(
    questions: Sequence[Question],
    requests: Iterable[Request],
    generations: Iterable[Generation],
    match: Mode,
    *,
    categories: Mapping[str, str],
    commonest: Mapping[str, str] | None,
) -> list[Answer]:
    """Answers in the order of the requests. InputError if requests and generations do not fit.

    categories: by question id; a question that was not probed has only All. commonest: for the base,
    each relation's commonest answer; None for other checkpoints.
    """
    by_id = {question.id: question for question in questions}
    answers = []
    for request, (generation,) in answered(requests, generations):
        question, text = by_id[request.question], generation.answer
        metrics = {"em": float(exact_match(text, question.answers, match))}
        if commonest is not None:
            guess = commonest[question.relation]
            metrics["majority_em"] = float(exact_match(guess, question.answers, match))
        answers.append(
            Answer(
                id=request.id,
                task=request.purpose,
                domain=question.domain,
                category=categories.get(question.id, "All"),
                cluster=question.subject,
                metrics=metrics,
                question=question.id,
                relation=question.relation,
                output=text,
                abstained=is_abstention(text),
                unfinished_thought=generation.unfinished_thought,
            )
        )
    if any(answer.abstained for answer in answers):
        for answer in answers:
            answer.metrics["answered"] = float(not answer.abstained)
            if not answer.abstained:
                answer.metrics["em_answered"] = answer.metrics["em"]
    return answers


def majority_answers(questions: Iterable[Question]) -> dict[str, str]:
    """Each relation's commonest first answer in train, or in dev if it has no train questions."""
    counts: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for question in questions:
        counts[question.relation, question.split][question.answers[0]] += 1
    majority = {}
    for relation in {question.relation for question in questions}:
        seen = counts[relation, "train"] or counts[relation, "dev"]
        majority[relation] = min(seen, key=lambda answer: (-seen[answer], answer), default="")
    return majority
