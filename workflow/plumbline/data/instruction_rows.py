"""A user's own instructions, in the forms that such files have.

A row has a request, its topic, and an answer. Its columns may be Alpaca's (instruction, input,
output), Dolly's (context), prompt and response or completion, question and answer, or turns: chat
`messages` (role, content) or ShareGPT's `conversations` (from, value), of which the first question and
its answer are used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field, model_validator

from plumbline.records import NonEmpty, Text
from plumbline.storage.rows import OwnRow
from plumbline.texts.text import visible

ASKED = ("instruction", "prompt", "question")
ABOUT = ("input", "context")
ANSWERED = ("response", "output", "completion", "answer")
TURNS = ("messages", "conversations")
USER = ("user", "human")
ASSISTANT = ("assistant", "gpt")


class InstructionRow(OwnRow):
    """An instruction; the columns above are converted to these."""

    CONTENT: ClassVar = OwnRow.CONTENT | {*ANSWERED, "answers"}

    id: NonEmpty | None = None
    instruction: Text = Field(description="What it is about follows after an empty line.")
    responses: list[Text] = Field(default_factory=list)
    source: NonEmpty | None = None
    fact_based: bool | None = None
    topic: str | None = None
    later_turns: int = Field(0, description="Turns after the first answer, which are not used.")

    @model_validator(mode="before")
    @classmethod
    def _one_shape(cls, row: object) -> object:
        if not isinstance(row, dict):
            return row
        row = dict(row)
        asked, background, answered = (_texts(row, names) for names in (ASKED, ABOUT, ANSWERED))
        for name in TURNS:
            if row.get(name):
                asked[name], *answer, row["later_turns"] = _first_turns(name, row.pop(name))
                answered |= dict.fromkeys([name] * len(answer), *answer)
        background = {name: text for name, text in background.items() if visible(text)}
        if asked:
            row["instruction"] = "\n\n".join(
                [_only(asked), *([_only(background)] if background else [])]
            )
        elif background:
            raise ValueError(f"column {', '.join(background)} without an instruction before it")
        if answered:
            row["responses"] = [*(row.get("responses") or []), _only(answered)]
        return row


def _texts(row: dict, names: Iterable[str]) -> dict[str, str]:
    """The texts in the columns of these names, which are removed from the row; others stay."""
    return {name: row.pop(name) for name in names if isinstance(row.get(name), str)}


def _only(columns: dict[str, str]) -> str:
    """The text of columns that mean the same. ValueError if they have different texts."""
    if len(set(columns.values())) > 1:
        raise ValueError(f"columns {' and '.join(columns)} say two things; keep one of them")
    return next(iter(columns.values()))


def _first_turns(name: str, turns: object) -> tuple:
    """The first question, its answer if there is one, and how many turns follow."""
    said = []
    for number, turn in enumerate(turns if isinstance(turns, list) else [turns]):
        turn = turn if isinstance(turn, dict) else {}
        role, text = (turn.get(a, turn.get(b)) for a, b in (("role", "from"), ("content", "value")))
        if not isinstance(role, str) or not isinstance(text, str):
            raise ValueError(
                f"{name}.{number}: expected the texts role and content, or from and value"
            )
        said.append((role, text))
    if said[0][0] not in USER:
        raise ValueError(
            f"{name}.0: a turn of {said[0][0]!r}; the first one must be the user's. Move what a "
            f"system turn says into it, or remove the row"
        )
    exchange = [text for _, text in said[:1]]
    if len(said) > 1 and said[1][0] in ASSISTANT:
        exchange.append(said[1][1])
    return *exchange, len(said) - len(exchange)
