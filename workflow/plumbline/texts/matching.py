"""When an answer counts as right: exact match after normalisation (`text.normalise`).

Gekhman et al. 2024 (sec. 3) score short answers by exact match and count an answer as right if it
matches any of the accepted ones; they do not say which normalisation they use.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Literal

import regex

from plumbline.texts.text import normalise, visible

Mode = Literal["squad", "raw"]

_MARKS = regex.compile(r"[\p{P}\p{S}]")


def first_line(text: str) -> str:
    """The first line with visible characters, stripped; "" if there is none."""
    return next((line.strip() for line in text.splitlines() if visible(line)), "")


def exact_match(output: str, answers: Iterable[str], mode: Mode = "squad") -> bool:
    """Whether the first line of `output` equals one of `answers`.

    mode "squad" compares after `text.normalise`; if that leaves nothing of either side (an answer
    "The", an output "?!"), the visible texts are compared instead, so that two emptied texts do not
    match. mode "raw" compares the visible texts (`text.visible`), including case and punctuation.
    """
    line = first_line(output)
    if mode not in ("squad", "raw"):
        raise ValueError(f"mode is {mode!r}; expected 'squad' or 'raw'")
    answered = normalise(line) if mode == "squad" else ""
    if answered:
        return answered in {normalise(answer) for answer in answers}
    return line != "" and visible(line) in {visible(answer) for answer in answers}


def unmatchable(answer: str, tokenizer, max_tokens: int, mode: Mode = "squad") -> str | None:
    """Why giving exactly this answer would never count as right; None if it would.

    Its first line, which is all that counts, must match it and have at most `max_tokens` tokens, as
    a text of its own or after a space, whichever is shorter.
    """
    if not visible(answer):
        return "answer_blank"
    line = first_line(answer)
    if not exact_match(line, [answer], mode):
        return "answer_of_several_lines"
    written = tokenizer([line, f" {line}"], add_special_tokens=False)["input_ids"]
    return "answer_longer_than_max_tokens" if min(map(len, written)) > max_tokens else None


def is_abstention(output: str) -> bool:
    """Whether the first line begins with "I don't know" or "I do not know"."""
    return f"{normalise(first_line(output))} ".startswith(("i dont know ", "i do not know "))


def can_still_match(beginning: str, answers: Iterable[str], mode: Mode = "squad") -> bool:
    """Whether an output with this beginning may still match; False only if no continuation could.

    This lets a decoder stop at the first wrong word instead of finishing a wrong answer.
    """
    beginning = beginning.rstrip("\ufffd")  # an incomplete character may become any
    line = next((line for line in beginning.splitlines(keepends=True) if visible(line)), "")
    if line and line.splitlines() != [line]:
        return exact_match(line, answers, mode)
    clean: Callable[[str], str] = visible if mode == "raw" else normalise
    start = clean(line)
    openings = {_bare(start)}
    if mode == "squad" and (last := regex.search(r"\b(?:t|th)?$", start)):
        # The last word may be the beginning of an article, which would not count.
        openings.add(_bare(start[: last.start()]))
    targets = [_bare(clean(answer)) for answer in answers]
    return any(target.startswith(opening) for target in targets for opening in openings)


def _bare(text: str) -> str:
    """The text without what later characters may change: marks, accents, the form of a final sigma."""
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).replace("ς", "σ")
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).split())
