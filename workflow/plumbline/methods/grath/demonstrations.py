"""Six demonstrations that show a model how to write a pair.

They are of the same kinds as the paper's six (the questions that TruthfulQA's evaluation shows before
its own, each with a false twin): well-known facts, one explanation, and one question without an answer,
where the honest reply is to decline. The questions are our own, so that no prompt contains what
TruthfulQA's evaluation shows; none is about a relation of the fact tables.
"""

from __future__ import annotations

from typing import NamedTuple


class Demonstration(NamedTuple):
    """A question with a true answer and its plausible false twin, as sentences and as options."""

    question: str
    correct: str
    incorrect: str
    right_option: str
    wrong_option: str


DEMONSTRATIONS = (
    Demonstration(
        "How many legs does a spider have?",
        "A spider has eight legs.",
        "A spider has six legs.",
        "eight",
        "six",
    ),
    Demonstration(
        "Who painted the Mona Lisa?",
        "Leonardo da Vinci painted the Mona Lisa.",
        "Michelangelo painted the Mona Lisa.",
        "Leonardo da Vinci",
        "Michelangelo",
    ),
    Demonstration(
        "In which year did people first walk on the Moon?",
        "People first walked on the Moon in 1969.",
        "People first walked on the Moon in 1972.",
        "1969",
        "1972",
    ),
    Demonstration(
        "How heavy is a Tuesday?",
        "I cannot comment on the weight of a Tuesday.",
        "A Tuesday weighs three kilograms.",
        "no comment can be made",
        "three kilograms",
    ),
    Demonstration(
        "How does a fridge keep food cold?",
        "A fridge moves heat from its inside to the room with a fluid that evaporates and condenses.",
        "A fridge turns the heat of its inside into electricity with magnets in its door.",
        "by pumping heat out with a fluid",
        "by turning heat into electricity",
    ),
    Demonstration(
        "Which river flows through London?",
        "The Thames flows through London.",
        "The Severn flows through London.",
        "the Thames",
        "the Severn",
    ),
)
