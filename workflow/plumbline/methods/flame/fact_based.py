"""Which instructions ask for facts: a Yes/No question to the model (Lin et al. 2024, sec. 4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pydantic import Field

from plumbline.data.instructions import Instruction
from plumbline.records import Generation, NonEmpty, Record, Request, Sampling
from plumbline.responses.drawn import answers
from plumbline.responses.prompting import Form, demonstrated, stop_at

PURPOSE = "flame_fact_based"
# Continuations of the prompt whose log-probabilities decide where the text does not.
CONTINUATIONS: dict[Form, tuple[str, str]] = {"plain": (" Yes", " No"), "chat": ("Yes", "No")}

_TASK = (
    "Decide whether a good answer to a request needs factual knowledge, the kind one would look "
    "up in an encyclopedia: about people, places, events, works, science or history. Requests to "
    "rewrite a text, to invent something, to calculate, to write code or to give everyday advice "
    "do not need it. Answer with one word, Yes or No."
)
# In no regular order of Yes and No, which a small model would go on with.
_SHOTS = (
    ("Who designed the Eiffel Tower?", "Yes"),
    ("Make this sentence shorter: We are writing to let you know that the shop is closed.", "No"),
    ("Think of a name for a parrot.", "No"),
    ("Give me a short history of the bicycle.", "Yes"),
    ("Explain how a lightning strike comes about.", "Yes"),
    ("How many minutes are there in three and a half hours?", "No"),
    ("Tell me about the pianist Clara Schumann.", "Yes"),
    ("What should I say to a friend who has failed an exam?", "No"),
    ("Write a function that tests whether a number is prime.", "No"),
    ("What do bats eat?", "Yes"),
)
_WORD = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


class FactBased(Record):
    """The decision on one instruction with what it rests on."""

    id: NonEmpty = Field(description="The instruction's id.")
    fact_based: bool
    decided_by: Literal["text", "logits", "undecided"] = Field(
        description="undecided counts as not fact-based, which keeps the human response."
    )
    text: str = Field(description="What the model said.")
    label: bool | None = Field(None, description="The source's own mark, if it has one.")
    taken: bool | None = Field(
        None, description="What is gone by, where that is the mark; absent: fact_based."
    )


def classify_requests(
    instructions: Iterable[Instruction], form: Form, max_tokens: int = 8
) -> Iterator[Request]:
    """One greedy request for each instruction."""
    shots = [(_item(text), answer) for text, answer in _SHOTS]
    sampling = Sampling(max_tokens=max_tokens, stop=stop_at(form, "\n"))
    for one in instructions:
        yield Request(
            id=f"{one.id}/{PURPOSE}",
            sampling=sampling,
            purpose=PURPOSE,
            instruction=one.id,
            **demonstrated(_TASK, shots, _item(one.instruction), "Answer:", form),
        )


def _item(text: str) -> str:
    return f"Request: {text}"


def parse(text: str) -> bool | None:
    """True for Yes, False for No; None when the first line that holds either holds both, or none.

    So "Yes or No", an echo of the question, decides nothing.
    """
    for line in text.splitlines():
        found = {word.lower() for word in _WORD.findall(line)}
        if found:
            return None if len(found) > 1 else found == {"yes"}
    return None


def classify(
    requests: Iterable[Request],
    generations: Iterable[Generation],
    logits: Mapping[str, tuple[float, float]] | None = None,
) -> list[FactBased]:
    """One decision a request: by the text, else by the logits, else undecided.

    logits: by instruction id, the log-probabilities (or logits) of Yes and of No as the next
    token, see `CONTINUATIONS`.
    """
    decisions = []
    for request, (generation,) in answers(requests, generations):
        said, by = parse(generation.answer), "text"
        if said is None:
            yes, no = (logits or {}).get(request.instruction, (0.0, 0.0))
            said, by = yes > no, "undecided" if yes == no else "logits"
        decisions.append(
            FactBased(id=request.instruction, fact_based=said, decided_by=by, text=generation.text)
        )
    return decisions
