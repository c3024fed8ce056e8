"""Questions about claims by a model: it writes the question and copies the answer.

Ours, in the manner of FactTune-MC's questions (Tian et al. 2024). The answer is asked for as well, so
that the claim, with a slot in the answer's place, becomes the statement of any other answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import regex

from plumbline.claims.records import AskedFact, Claim, Verdict
from plumbline.generation.answered import answered
from plumbline.methods.apeft.questions import SLOT, AtomicQuestion, facts_in
from plumbline.records import Generation, Request, Sampling
from plumbline.responses.drawn import reason_of
from plumbline.texts.text import STOPS, normalise, segments, whole, words
from plumbline.verification.cues import PRONOUN

PURPOSE = "apeft_question"

_TASK = (
    "For each statement, write a question about its key detail, and the answer word for word as "
    "the statement has it.\n\n"
)
_SHOTS = (
    ("Suez Canal", "The Suez Canal was opened in 1869.", "When was the Suez Canal opened?", "1869"),
    (
        "Johannes Brahms",
        "Johannes Brahms was a German composer.",
        "What was the profession of Johannes Brahms?",
        "composer",
    ),
    ("Peru", "Lima is the largest city of Peru.", "What is the largest city of Peru?", "Lima"),
    (
        "Jane Goodall",
        "Jane Goodall studied chimpanzees in Tanzania.",
        "Which animals did Jane Goodall study in Tanzania?",
        "chimpanzees",
    ),
)
_READ = re.compile(r"\s*(?P<question>[^\n]*?[?？؟])[^\n]*\n+\s*Answer:[ \t]*(?P<answer>[^\n]*)")


def requests(claims: Iterable[Claim], max_tokens: int = 64) -> Iterator[Request]:
    """One greedy request for each claim, plain text."""
    prefix = _TASK + "".join(
        f"{_item(topic, text)} {question}\nAnswer: {answer}\n\n"
        for topic, text, question, answer in _SHOTS
    )
    sampling = Sampling(max_tokens=max_tokens, stop=("\n\n",))
    for claim in claims:
        yield Request(
            id=f"{claim.id}/{PURPOSE}",
            prompt=prefix + _item(claim.topic, claim.text),
            sampling=sampling,
            purpose=PURPOSE,
            claim=claim.id,
        )


def _item(topic: str, text: str) -> str:
    return f"Topic: {topic}\nStatement: {text}\nQuestion:"


def questions(
    claims: Iterable[Claim],
    asked: Iterable[Request],
    generations: Iterable[Generation],
    verdicts: Mapping[str, Verdict],
) -> tuple[list[AtomicQuestion], Counter]:
    """The question about each claim, and why some have none.

    asked: the requests for the questions. verdicts: by claim id. An answer must occur in the claim
    exactly once and as whole words, and must not be its topic; the question must not give it away,
    nor name its subject only by a pronoun.
    """
    drawn = {request.claim: answer for request, (answer,) in answered(asked, generations)}
    made: list[AtomicQuestion] = []
    dropped: Counter = Counter()
    for claim in claims:
        text = drawn[claim.id].answer if claim.id in drawn else ""
        read = _READ.match(text)
        if read is None:
            dropped[reason_of(drawn.get(claim.id), "no question")] += 1
            continue
        question, answer = read["question"], read["answer"].strip().rstrip(STOPS)
        places = list(regex.finditer(whole(answer), claim.text))
        if reason := _unfit(claim, question, answer, len(places)):
            dropped[reason] += 1
            continue
        (place,) = places
        made.append(
            AtomicQuestion(
                id=f"{claim.id}/0",
                topic=claim.topic,
                claim=claim.id,
                question=question,
                statement=claim.text[: place.start()] + SLOT + claim.text[place.end() :],
                object=answer,
                asked=_fact(verdicts.get(claim.id), answer),
            )
        )
    return made, dropped


def _fact(verdict: Verdict | None, answer: str) -> AskedFact | None:
    """The one fact that the claim was read as, with this object; None: no table knows it."""
    facts = {
        fact
        for fact, objects in (facts_in(verdict) if verdict else ())
        if normalise(answer) in map(normalise, objects)
    }
    return facts.pop() if len(facts) == 1 else None


def _unfit(claim: Claim, question: str, answer: str, places: int) -> str | None:
    """Why the question does not ask for an object of the claim; None if it does."""
    if not normalise(answer) or places != 1 or SLOT in claim.text:
        return "answer not in the claim"
    if normalise(answer) == normalise(claim.topic):
        return "asks for the topic"
    if _spaced(answer) in _spaced(question):
        return "question holds the answer"
    asks_of = [word.lower() for word in words(question)]
    opening = words(claim.text)[0].lower()
    unnamed = claim.topic not in question and any(map(PRONOUN.fullmatch, asks_of))
    return "subject left to a pronoun" if unnamed or PRONOUN.fullmatch(opening) else None


def _spaced(text: str) -> str:
    return f" {' '.join(segments(normalise(text)))} "
