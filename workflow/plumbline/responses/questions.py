"""Questions about claims, and many answers to each, as in FactTune-MC (Tian et al. 2024)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from plumbline.claims.records import Claim
from plumbline.generation.answered import answered
from plumbline.records import Generation, Request, Sampling
from plumbline.responses.drawn import reason_of
from plumbline.texts.matching import first_line

QUESTION_PURPOSE, ANSWER_PURPOSE = "facttune_question", "facttune_answer"

_TASK = (
    "Turn each statement into a question whose answer is the statement's last or key detail.\n\n"
)
_QUESTIONS = (
    ("Jane Goodall", "Jane Goodall was born in London.", "In which city was Jane Goodall born?"),
    (
        "Suez Canal",
        "The Suez Canal was opened in 1869.",
        "In which year was the Suez Canal opened?",
    ),
    (
        "Johannes Brahms",
        "Johannes Brahms was a composer.",
        "What was the profession of Johannes Brahms?",
    ),
    ("Peru", "Peru has a border with Chile.", "Which country south of Peru does it border?"),
)
_ANSWERS = (
    ("Which planet is closest to the Sun?", "Mercury"),
    ("In which year did the Second World War end?", "1945"),
    ("Who wrote the novel Frankenstein?", "Mary Shelley"),
    ("What was the profession of Florence Nightingale?", "nurse"),
)


def question_requests(claims: Iterable[Claim], max_tokens: int = 40) -> Iterator[Request]:
    """One greedy request for each claim, as plain text: which question does the claim answer?"""
    prefix = _TASK + "".join(
        f"Topic: {topic}\nStatement: {text}\nQuestion: {question}\n\n"
        for topic, text, question in _QUESTIONS
    )
    sampling = Sampling(max_tokens=max_tokens, stop=("\n",))
    for claim in claims:
        yield Request(
            id=f"{claim.id}/{QUESTION_PURPOSE}",
            prompt=f"{prefix}Topic: {claim.topic}\nStatement: {claim.text}\nQuestion:",
            sampling=sampling,
            purpose=QUESTION_PURPOSE,
            claim=claim.id,
        )


def questions(
    requests: Iterable[Request], generations: Iterable[Generation]
) -> tuple[dict[str, str], Counter]:
    """The question for each claim id, and why some claims have none."""
    by_claim, dropped = {}, Counter()
    for request, (generation,) in answered(requests, generations):
        line = first_line(generation.answer)
        end = line.find("?")
        if end > 0:
            by_claim[request.claim] = line[: end + 1]
        else:
            dropped[reason_of(generation, "no question")] += 1
    return by_claim, dropped


def answer_requests(
    questions: Mapping[str, str],
    *,
    samples: int = 20,
    temperature: float = 1.0,
    top_p: float = 0.9,
    max_tokens: int = 15,
) -> Iterator[Request]:
    """`samples` few-shot answers of the base model to each claim's question (paper's settings)."""
    prefix = "".join(f"Q: {question}\nA: {answer}\n\n" for question, answer in _ANSWERS)
    sampling = Sampling(
        n=samples, temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=("\n",)
    )
    for claim, question in questions.items():
        yield Request(
            id=f"{claim}/{ANSWER_PURPOSE}",
            prompt=f"{prefix}Q: {question}\nA:",
            sampling=sampling,
            purpose=ANSWER_PURPOSE,
            claim=claim,
        )
