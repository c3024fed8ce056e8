"""The two forms of a prompt: plain text for a base model, a chat turn for the model's template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from plumbline.records import Message

Form = Literal["plain", "chat"]

INSTRUCTION_HEADER = "### Instruction:\n"
RESPONSE_HEADER = "### Response:\n"
QUESTION_HEADER = "Answer the following question.\n"
NEXT = INSTRUCTION_HEADER.strip()  # where a base model that keeps writing begins a new instruction


def instruction_prompt(text: str, form: Form) -> str | list[Message]:
    """The prompt in training and in use. plain: under headers, ready for the response."""
    if form == "chat":
        return [Message(role="user", content=text)]
    return f"{INSTRUCTION_HEADER}{text}\n\n{RESPONSE_HEADER}"


def closed_book_prompt(question: str, form: Form) -> str | list[Message]:
    """A question that is answered in a few words, in the form of training and asking.

    plain: the instruction of Gekhman et al. 2024 and the question, then a line break.
    """
    if form == "chat":
        return [Message(role="user", content=question)]
    return f"{QUESTION_HEADER}{question}\n"


def response_side(text: str, form: Form) -> str | list[Message]:
    """A response in the form of a training row's side."""
    return [Message(role="assistant", content=text)] if form == "chat" else text


def few_shot_prompt(demonstrations: Iterable[tuple[str, str]], text: str) -> str:
    """Demonstrations (instruction, response) under headers, then `text` with an open response."""
    blocks = [
        f"{instruction_prompt(shown, 'plain')}{answer}\n\n" for shown, answer in demonstrations
    ]
    return "".join(blocks) + instruction_prompt(text, "plain")


def asked(text: str | list[Message], form: Form) -> dict:
    """The prompt or messages field of a request."""
    if form == "plain":
        return {"prompt": text}
    return {"messages": [Message(role="user", content=text)] if isinstance(text, str) else text}


def demonstrated(
    task: str, shots: Sequence[tuple[str, str]], item: str, cue: str, form: Form
) -> dict:
    """The prompt field of a request that shows, with `shots` (item, answer), how to do a task.

    chat: each shot is a turn of the user and one of the assistant, and the task opens the first
    turn; plain: the task, then blocks of item, cue and answer, the last one open.
    """
    if form == "plain":
        blocks = [f"{shown}\n{cue} {answer}\n\n" for shown, answer in shots]
        return asked(f"{task}\n\n{''.join(blocks)}{item}\n{cue}", form)
    turns = []
    for shown, answer in shots:
        turns.append(Message(role="user", content=shown))
        turns.append(Message(role="assistant", content=answer))
    turns.append(Message(role="user", content=item))
    turns[0].content = f"{task}\n\n{turns[0].content}"
    return asked(turns, form)


def stop_at(form: Form, *headers: str) -> tuple[str, ...]:
    """Stop strings that end a base model's answer; a chat model ends by itself."""
    return headers if form == "plain" else ()
