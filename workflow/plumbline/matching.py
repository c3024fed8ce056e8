"""When an answer counts as right: exact match after normalisation.

The normalisation is SQuAD's (Rajpurkar et al. 2016, official evaluation script), with Unicode
punctuation. Gekhman et al. 2024 (sec. 3) score short answers by exact match and count an answer
as right when it matches any of the accepted ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

Mode = Literal["squad", "raw"]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
# SQuAD deletes every character of string.punctuation, among them these symbols, which Unicode
# does not class as punctuation.
_SYMBOLS = frozenset("$+<=>^`|~")


def first_line(text: str) -> str:
    """The first line that holds anything, stripped; "" when there is none."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def normalise(text: str) -> str:
    """Compatibility-composed, lower case, no punctuation, no articles, single spaces."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = "".join(
        character
        for character in text
        if character not in _SYMBOLS and not unicodedata.category(character).startswith("P")
    )
    return " ".join(_ARTICLES.sub(" ", text).split())


def exact_match(output: str, answers: Iterable[str], mode: Mode = "squad") -> bool:
    """Whether the first line of `output` equals one of `answers`.

    mode "squad" compares after `normalise`; where that leaves nothing of either side (an answer
    "The", an output "?!") the stripped texts are compared instead, so that two emptied texts do
    not match each other. mode "raw" compares the stripped first line as it is.
    """
    line = first_line(output)
    if mode == "raw":
        return line in {answer.strip() for answer in answers}
    if mode != "squad":
        raise ValueError(f"mode is {mode!r}; expected 'squad' or 'raw'")
    found = normalise(line)
    if not found:
        return line != "" and line in {answer.strip() for answer in answers}
    return found in {normalise(answer) for answer in answers}


def is_abstention(output: str) -> bool:
    """Whether the first line begins with "I don't know" or "I do not know"."""
    return f"{normalise(first_line(output))} ".startswith(("i dont know ", "i do not know "))


def can_still_match(beginning: str, answers: Iterable[str], mode: Mode = "squad") -> bool:
    """Whether an output that begins so may yet match; False only where no continuation could.

    Lets a decoder stop at the first wrong word instead of finishing a wrong answer.
    """
    beginning = beginning.lstrip().rstrip("\ufffd")  # an incomplete character may become any
    if beginning.splitlines() not in ([], [beginning]):
        return exact_match(beginning, answers, mode)
    if mode == "raw":
        return any(answer.strip().startswith(beginning.rstrip()) for answer in answers)
    found = normalise(beginning)
    # The last word may be the beginning of an article, which will not count.
    last = re.search(r"\b(?:t|th)?$", found)
    openings = {_bare(found), _bare(found[: last.start()])} if last else {_bare(found)}
    targets = [_bare(normalise(answer)) for answer in answers]
    return any(target.startswith(opening) for target in targets for opening in openings)


def _bare(text: str) -> str:
    """Without what later characters may change: accents and the form of a final sigma."""
    text = unicodedata.normalize("NFKD", text).replace("ς", "σ")
    return "".join(c for c in text if not unicodedata.combining(c)).strip()
