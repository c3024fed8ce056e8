"""Thoughts that a model writes before its answer, between marks; they are not part of the answer."""

from __future__ import annotations

import re

_NAMES = ("think", "thinking", "thought", "reasoning")
OPENINGS = (*(f"<{name}>" for name in _NAMES), "[THINK]")
_MARK = re.compile(rf"<(/?)(?:{'|'.join(_NAMES)})>|\[(/?)THINK\]")
_OPEN_AT_END = re.compile(rf"(?:{'|'.join(map(re.escape, OPENINGS))})\s*$")
ENDING = 16  # the last tokens of a prompt, among which a mark that opens a thought would be
CLOSE = {opening: opening[0] + "/" + opening[1:] for opening in OPENINGS}


def without_thoughts(text: str, opened: bool = False) -> str:
    """`text` without its thoughts, stripped if it has any; "" if there is only an unclosed one.

    opened: whether the prompt before it ends within a thought. A closing mark without an opening one
    closes the thought that the prompt opened.
    """
    return _read(text, opened)[0]


def is_unclosed(text: str, opened: bool = False) -> bool:
    """Whether `text` breaks off within a thought, so that its answer never came."""
    return _read(text, opened)[1]


def may_open(text: str) -> bool:
    """Whether `text` is the beginning of a mark that opens a thought."""
    beginning = text.strip()
    return beginning != "" and any(mark.startswith(beginning) for mark in OPENINGS)


def opened_by(prompt: str) -> str | None:
    """The mark of the thought that a prompt ends in, if it does."""
    opening = _OPEN_AT_END.search(prompt)
    return opening[0].strip() if opening else None


def _read(text: str, inside: bool) -> tuple[str, bool]:
    """The text outside thoughts, and whether it ends within one."""
    if not inside and not _MARK.search(text):
        return text, False
    said, start = [], 0
    for mark in _MARK.finditer(text):
        closing = "/" in mark[0]
        if closing and not inside:
            said.clear()
        elif not inside:
            said.append(text[start : mark.start()])
        inside, start = not closing, mark.end()
    if not inside:
        said.append(text[start:])
    return "".join(said).strip(), inside
