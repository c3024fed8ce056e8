"""Which instructions ask for facts: a Yes/No question to the model (Lin et al. 2024, sec. 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plumbline.data.instructions import Instruction
from plumbline.responses.decisions import FactBased
from plumbline.responses.prompting import Form, demonstrated
from plumbline.scoring.closed_question import ClosedQuestion

ANSWERS = ("Yes", "No")

_TASK = (
    "Decide whether a good answer to a request needs factual knowledge, the kind one would look "
    "up in an encyclopedia: about people, places, events, works, science or history. Requests to "
    "rewrite a text, to invent something, to calculate, to write code or to give everyday advice "
    "do not need it. Answer with one word, Yes or No."
)
# Yes and No are in no regular order, which a small model would continue.
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


def classify(
    instructions: Sequence[Instruction],
    ask: Callable[[Sequence[ClosedQuestion]], list[list[float]]],
    form: Form,
) -> list[FactBased]:
    """One decision per instruction: whether Yes is likelier than No.

    ask: gives the probabilities of the options of closed questions, like `judges.asking`.
    """
    shares = ask([_question(instruction, form) for instruction in instructions])
    return [
        FactBased(id=instruction.id, fact_based=yes > no, probability=yes)
        for instruction, (yes, no) in zip(instructions, shares, strict=True)
    ]


def _question(instruction: Instruction, form: Form) -> ClosedQuestion:
    shots = [(_item(text), answer) for text, answer in _SHOTS]
    asked = demonstrated(_TASK, shots, _item(instruction.instruction), "Answer:", form)
    if "messages" in asked:
        asked["messages"] = tuple(asked["messages"])
    return ClosedQuestion(instruction.id, ANSWERS, **asked)


def _item(text: str) -> str:
    return f"Request: {text}"
