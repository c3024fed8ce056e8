"""Whether a model can do what a configuration asks for, reported before any of it is tried.

`config.needs` says what a configuration requires. Import checks the model against it, and so does each
job that generates or trains, since the configuration may have changed in between.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel

from plumbline.storage.files import InputError
from plumbline.texts.thoughts import without_thoughts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger("plumbline")


class Chat(BaseModel):
    """A part of the configuration that needs a chat template."""

    key: str  # as in the configuration, with its value
    instead: str  # what to set if a model has no template
    shown: bool = False  # turns of user and assistant precede the one that is answered
    answered: bool = False  # the answer is written too, to be trained on or scored


class Length(BaseModel):
    """Tokens that a model must be able to read at once."""

    key: str
    tokens: int
    answer: bool = False  # a prompt precedes it


class Needs(BaseModel):
    """Everything that a configuration requires of each of its models."""

    chat: list[Chat] = []
    lengths: list[Length] = []
    max_model_len: int = 0


def check(
    name: str, tokenizer: PreTrainedTokenizerBase, end_token_ids: Iterable[int], needs: Needs
) -> None:
    """InputError with every key that the model cannot serve, and what to set instead.

    name: the model's; tokenizer: as settled at import, so that it knows the model's positions;
    end_token_ids: the tokens that end the model's answers.
    """
    problems = [
        *_of_template(tokenizer, set(end_token_ids), needs.chat),
        *_of_length(tokenizer.model_max_length, needs.lengths),
    ]
    if problems:
        raise InputError(f"model {name}: " + " ".join(problems))
    if needs.max_model_len > tokenizer.model_max_length:
        log.info(
            f"{name} reads at most {tokenizer.model_max_length} tokens, which holds for generation "
            f"in place of generation.max_model_len: {needs.max_model_len}"
        )


def _of_template(tokenizer, ends: set[int], chats: list[Chat]) -> list[str]:
    if not chats:
        return []
    if not tokenizer.chat_template:
        return [
            f"its tokenizer has no chat template, which {_listed(chat.key for chat in chats)} "
            f"{'need' if len(chats) > 1 else 'needs'}. Set {_listed(c.instead for c in chats)}, or "
            f"name a model with a template."
        ]
    return [
        f"its chat template {wrong}, but {chat.key} needs that. Set {chat.instead}, or correct the "
        f"template."
        for chat in chats
        if (wrong := _wrong_with(tokenizer, ends, chat))
    ]


def _wrong_with(tokenizer, ends: set[int], chat: Chat) -> str | None:
    """What the template fails to do of what is required."""
    first = [
        {"role": "user", "content": "What is the first?"},
        {"role": "assistant", "content": "It is one."},
    ]
    last = {"role": "user", "content": "What is the second?"}
    asked = [[last], *[[*first, last]] * chat.shown]
    for turns, opened in [*((prompt, True) for prompt in asked), *[(first, False)] * chat.answered]:
        roles = "-".join(turn["role"] for turn in turns)
        try:
            text = tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=opened
            )
        except Exception as error:  # a template is a program, and may fail in any way
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            return f"cannot write the turns {roles} ({reason})"
        if lost := [turn["content"] for turn in turns if turn["content"] not in text]:
            return f"leaves {lost[0]!r} out when it writes the turns {roles}"
        if opened and tokenizer(text.rstrip(), add_special_tokens=False)["input_ids"][-1] in ends:
            return "opens no turn for the assistant: a prompt ends like an answer"
    if left := _left_in_answers(tokenizer, first):
        return f"puts {left!r} before an answer, where it would count as a part of the answer"
    return None


def _left_in_answers(tokenizer, turns: list[dict]) -> str:
    """What a model has to write before an answer's words, as far as it remains after decoding."""
    try:
        asked = tokenizer.apply_chat_template(turns[:1], tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(turns, tokenize=False)
    except Exception:  # reported elsewhere if it matters
        return ""
    before = whole.removeprefix(asked).rpartition(turns[1]["content"])[0]
    if not whole.startswith(asked) or not before.strip():
        return ""
    ids = tokenizer(before, add_special_tokens=False)["input_ids"]
    return without_thoughts(tokenizer.decode(ids, skip_special_tokens=True)).strip()


def _of_length(positions: int, lengths: list[Length]) -> list[str]:
    too_long = [length for length in lengths if length.tokens + length.answer > positions]
    if not too_long:
        return []
    keys = _listed(
        f"{length.key}: {length.tokens}{' after a prompt' if length.answer else ''}"
        for length in too_long
    )
    them = "them" if len(too_long) > 1 else "it"
    return [f"it reads at most {positions} tokens, too few for {keys}. Lower {them}."]


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
