"""FactTune-MC: a response's confidence as its factual score, without a reference (Tian et al. 2024).

Each claim becomes a question, the base model answers it many times, and the share of its commonest
answer is the claim's confidence; a response scores the mean over its claims. Whether the commonest
answer is what the claim says does not matter. FactTune-FS scores by the share of supported claims
(`rewards.factuality`). Both train on every pair of responses with different scores
(`pairs.build_pairs`, set facttune).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from statistics import fmean

from plumbline.claims.records import Claim
from plumbline.matching import first_line, normalise
from plumbline.methods.flame.responses import answers
from plumbline.methods.flame.rewards import Factuality
from plumbline.records import Generation, Request, Sampling

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
    """One greedy request for each claim, plain text: what is it that the claim answers?"""
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
    found, dropped = {}, Counter()
    for request, (generation,) in answers(requests, generations):
        line = first_line(generation.text)
        end = line.find("?")
        if end > 0:
            found[request.claim] = line[: end + 1]
        else:
            dropped["no question" if line else "empty"] += 1
    return found, dropped


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


def equivalent(first: str, second: str) -> bool:
    """Whether two normalised answers mean the same by their words: the same words in any order,
    one the end of the other ("obama", "barack obama"), or one the other's plural.
    """
    one, other = first.split(), second.split()
    short, long = sorted((one, other), key=len)
    if set(one) == set(other) or (short and long[-len(short) :] == short):
        return True
    low, high = sorted((first, second), key=len)
    return bool(low) and high in (low + "s", low + "es")


def max_confidence(texts: Iterable[str]) -> float:
    """Share of the answers that fall into the largest bin of equivalent ones, in [0, 1].

    texts: sampled answers, at least one; their first lines count. Bins are begun by the commonest
    answers, so the order of samples does not matter. Empty answers agree with nothing.
    """
    counts = Counter(normalise(first_line(text)) for text in texts)
    total = counts.total()
    bins: dict[str, int] = {}
    for answer, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if answer:
            home = next((other for other in bins if equivalent(answer, other)), answer)
            bins[home] = bins.get(home, 0) + n
    return max(bins.values(), default=0) / total


def confidence(
    claims: Iterable[Claim], requests: Iterable[Request], generations: Iterable[Generation]
) -> list[Factuality]:
    """The factual score of each response whose claims were asked about: their mean confidence.

    `claims` of a row counts the claims asked about; `supported` those answered the same way by
    more than half of the samples.
    """
    of = {
        request.claim: max_confidence([generation.text for generation in drawn])
        for request, drawn in answers(requests, generations)
    }
    by_response: dict[str, list[float]] = defaultdict(list)
    for claim in claims:
        if claim.id in of:
            by_response[claim.response].append(of[claim.id])
    return [
        Factuality(
            id=name,
            score=fmean(values),
            supported=sum(value > 0.5 for value in values),
            claims=len(values),
        )
        for name, values in by_response.items()
    ]
