"""The question for a model that may give one of a few answers; `closed` asks it."""

from __future__ import annotations

from dataclasses import dataclass

from plumbline.records import Message


@dataclass(frozen=True)
class ClosedQuestion:
    """A prompt, or the turns of a chat, that ends where one of the options follows."""

    id: str
    options: tuple[str, ...]
    prompt: str | None = None
    messages: tuple[Message, ...] | None = None
