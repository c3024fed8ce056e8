"""Training files in TRL's formats, checked and tokenised before a model is loaded.

A prompt with its completion that is longer than `max_length` tokens is left out and counted;
nothing is ever cut.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from plumbline.files import InputError, read_unique_rows
from plumbline.records import Example, Pair

log = logging.getLogger("plumbline")
Side = str | list[dict]  # plain text, or messages


@dataclass(frozen=True)
class TokenPair:
    """A pair as the model sees it. Both completions end with the end token."""

    id: str
    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]

    @property
    def length(self) -> int:
        """Tokens of the longer of the two sequences."""
        return len(self.prompt_ids) + max(len(self.chosen_ids), len(self.rejected_ids))

    def digest(self) -> str:
        """Tells whether two files speak of the same tokens."""
        text = repr([self.prompt_ids, self.chosen_ids, self.rejected_ids])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_examples(path: Path, tokenizer, max_length: int) -> tuple[list[dict], dict[str, int]]:
    """The prompt-completion rows that fit `max_length` tokens (prompt, completion and end token).

    Returns the rows as TRL takes them and the counts of dropped ones by reason.
    Raises InputError when a completion is empty or nothing is left.
    """
    rows, too_long = [], 0
    for example in read_unique_rows(path, Example):
        row = example.model_dump(include={"prompt", "completion"})
        _check_sides(path, example.id, row, "completion")
        if len(_tokens(tokenizer, row["prompt"], row["completion"])) > max_length:
            too_long += 1
        else:
            rows.append(row)
    return rows, _dropped(path, len(rows), too_long, max_length)


def load_pairs(path: Path, tokenizer, max_length: int) -> tuple[list[TokenPair], dict[str, int]]:
    """The pairs whose both sides fit `max_length` tokens, tokenised as TRL 1.16 does.

    A completion begins where the tokens of the prompt alone and of the whole part ways. Returns
    the pairs and the counts of dropped ones by reason, equal sides among them. Raises InputError
    when a side is empty, an end token is missing, or nothing is left.
    """
    pairs, too_long, equal = [], 0, 0
    for pair in read_unique_rows(path, Pair):
        row = pair.model_dump(include={"prompt", "chosen", "rejected"})
        _check_sides(path, pair.id, row, "chosen", "rejected")
        tokens = _token_pair(pair.id, row, tokenizer)
        for side in (tokens.chosen_ids, tokens.rejected_ids):
            check_end_token(side, tokenizer)
        if tokens.chosen_ids == tokens.rejected_ids:
            equal += 1  # no gradient comes of it
        elif tokens.length > max_length:
            too_long += 1
        else:
            pairs.append(tokens)
    if equal and not pairs and not too_long:
        raise InputError(f"{path}: chosen and rejected are equal in every pair; build it again.")
    return pairs, {"equal_sides": equal, **_dropped(path, len(pairs), too_long, max_length)}


def unpaired(path: Path, keep: Iterable[str], seed: int) -> list[dict]:
    """Chosen and rejected answers of the pairs in `keep` as rows of their own, for KTO.

    In an order drawn by the seed: KTO takes the rows as they come, since it compares each answer
    with its neighbour's.
    """
    import random

    keep = set(keep)
    rows = [
        {"prompt": row["prompt"], "completion": row[side], "label": side == "chosen"}
        for row in (
            pair.model_dump(include={"prompt", "chosen", "rejected"})
            for pair in read_unique_rows(path, Pair)
            if pair.id in keep
        )
        for side in ("chosen", "rejected")
    ]
    random.Random(seed).shuffle(rows)
    return rows


def check_end_token(ids: list[int], tokenizer) -> None:
    """A model that never sees the end of an answer never ends one. InputError if it is missing."""
    if tokenizer.eos_token_id not in ids[-2:]:
        raise InputError(
            f"a training example does not end in {tokenizer.eos_token!r}; the tokenizer's chat "
            f"template and its end token do not fit together."
        )


def _token_pair(name: str, row: dict, tokenizer) -> TokenPair:
    prompt = _prompt_tokens(tokenizer, row["prompt"])
    chosen = _tokens(tokenizer, row["prompt"], row["chosen"])
    rejected = _tokens(tokenizer, row["prompt"], row["rejected"])
    cut = min(_shared(prompt, chosen), _shared(prompt, rejected))
    return TokenPair(name, prompt[:cut], chosen[cut:], rejected[cut:])


def _shared(first: list[int], second: list[int]) -> int:
    """Length of the longest common beginning."""
    length = min(len(first), len(second))
    return next((i for i in range(length) if first[i] != second[i]), length)


def _tokens(tokenizer, prompt: Side, completion: Side) -> list[int]:
    """Prompt, completion and end token; a chat template brings its own."""
    if isinstance(prompt, str):
        ended = completion.endswith(tokenizer.eos_token)
        return tokenizer(prompt + completion + ("" if ended else tokenizer.eos_token))["input_ids"]
    return _templated(tokenizer, prompt + completion)


def _prompt_tokens(tokenizer, prompt: Side) -> list[int]:
    if isinstance(prompt, str):
        return tokenizer(prompt)["input_ids"]
    return _templated(tokenizer, prompt, add_generation_prompt=True)


def _templated(tokenizer, messages: list[dict], **options) -> list[int]:
    encoded = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, **options)
    return encoded["input_ids"]


def _check_sides(path: Path, name: str, row: dict, *sides: str) -> None:
    for side in sides:
        text = row[side]
        if not isinstance(text, str):
            text = "".join(message["content"] for message in text)
        if not text.strip():
            raise InputError(f"{path}: {name}: {side} is empty; remove the row or fill it.")
        if isinstance(row[side], str) != isinstance(row["prompt"], str):
            raise InputError(
                f"{path}: {name}: prompt and {side} are of two kinds; expected both as text or both "
                f"as messages."
            )


def _dropped(path: Path, kept: int, too_long: int, max_length: int) -> dict[str, int]:
    if not kept:
        raise InputError(
            f"{path}: none of {too_long} examples fits max_length {max_length}; "
            f"raise it in the recipe."
        )
    if too_long:
        log.warning(f"{too_long} example(s) longer than {max_length} tokens left out")
    return {"too_long": too_long}
