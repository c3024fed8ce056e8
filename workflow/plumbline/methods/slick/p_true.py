"""P(True), another probe of what a model knows (Kadavath et al. 2022), beside SliCK.

The model is shown a question with its right answer and asked whether that is true. Gekhman et al.
2024, appendix J, call the facts with the lowest P(True) Unknown, as many as are Unknown to SliCK, and
compare the two: the better probe is the one whose Unknown facts a tuned model answers less often.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pydantic import Field

from plumbline.evaluation.exact_answers import Answer
from plumbline.evaluation.statistics import share
from plumbline.records import ChoiceQuestion, NonEmpty, Question, Record
from plumbline.storage.files import DifferentRuns

PROMPT = (
    "Question: {question}\nProposed Answer: {answer}\nIs the proposed answer:\n (A) True\n"
    " (B) False\nThe proposed answer is:"
)
OPTIONS = ("(A)", "(B)")
UNKNOWN = "Unknown"


class PTrue(Record):
    """How likely the base considers a fact to be true."""

    id: NonEmpty = Field(description="The question's id.")
    p_true: float = Field(ge=0, le=1, description="p((A)) / (p((A)) + p((B))), of its answer.")


def proposal(question: Question) -> ChoiceQuestion:
    """P(True)'s question about a question's first answer; it is true, so (A) is right."""
    text = PROMPT.format(question=question.question, answer=question.answers[0])
    return ChoiceQuestion(id=question.id, question=text, choices=list(OPTIONS), labels=[1, 0])


def p_true(true: float, false: float) -> float:
    """From log p of the two options (nats)."""
    return 1 / (1 + math.exp(min(false - true, 700.0)))


def rows(
    answers: Iterable[Answer], measured: Sequence[PTrue], confidence: float, **columns
) -> Iterator[dict]:
    """Accuracy of a tuned model on what each probe calls Unknown and Known, by task and domain.

    P(True) calls as many facts Unknown as SliCK does, those with the lowest values; `threshold` is the
    highest value among them, `share` their share of all facts (0 to 1). Equal values are ordered by
    id. A side without facts has no row; questions that were not probed are on neither side.
    InputError when a probed question has no P(True).
    """
    values = {row.id: row.p_true for row in measured}
    groups: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.category != "All":
            groups[answer.task, answer.domain].append(answer)
    for (task, domain), group in groups.items():
        if missing := [answer.question for answer in group if answer.question not in values]:
            raise DifferentRuns(
                f"question {missing[0]}: has no P(True)",
                "Run the workflow again",
            )
        order = sorted(group, key=lambda answer: (values[answer.question], answer.question))
        size = sum(answer.category == UNKNOWN for answer in group)
        sides = {
            ("slick", UNKNOWN): [answer for answer in group if answer.category == UNKNOWN],
            ("slick", "Known"): [answer for answer in group if answer.category != UNKNOWN],
            ("p_true", UNKNOWN): order[:size],
            ("p_true", "Known"): order[size:],
        }
        for (probe, called), side in sides.items():
            if not side:
                continue
            estimate = share(sum(answer.correct for answer in side), len(side), confidence)
            yield {
                **columns,
                "task": task,
                "domain": domain,
                "probe": probe,
                "called": called,
                "threshold": values[order[size - 1].question] if probe == "p_true" and size else "",
                "share": round(len(side) / len(group), 6),
                **{name: round(getattr(estimate, name), 6) for name in ("value", "low", "high")},
                "n": estimate.n,
            }
