"""What tells a pair's two answers apart: whether they are right, and whether they are negated.

The model sees no options (except with `use_ground_truth`), so most of its answers name none of them.
"""

from __future__ import annotations

import regex

from plumbline.records import ChoiceQuestion
from plumbline.texts.text import normalise, whole

NEGATION = regex.compile(
    r"\b(?:no|not|none|never|nothing|nobody|nowhere|neither|nor|cannot)\b|n['’]t\b",
    regex.IGNORECASE,
)


def is_negated(answer: str) -> bool:
    """Whether an English answer has a negation, such as "not", "never" or "isn't".

    Not in the paper. A model that invents incorrect answers by denying its own teaches the next round
    to avoid negations, right or wrong.
    """
    return bool(NEGATION.search(answer))


def names_right(answer: str, question: ChoiceQuestion) -> bool:
    """Whether an answer names a right option of the question, and no wrong one.

    Only words count: an option is named if its normalised text occurs in the normalised answer as whole
    words, but not as a part of a longer option: "cell wall" does not name "cell".
    """
    text, named, taken = normalise(answer), [], []
    options = zip(map(normalise, question.choices), question.labels, strict=True)
    for option, label in sorted(options, key=lambda labelled: -len(labelled[0])):
        if not option:
            continue
        spans = [match.span() for match in regex.finditer(whole(option), text)]
        free = [s for s in spans if not any(s[0] < end and start < s[1] for start, end in taken)]
        taken += free
        named += [label] * bool(free)
    return bool(named) and all(named)
