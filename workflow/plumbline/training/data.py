"""Training files in TRL's formats, checked and tokenised before a model is loaded.

A prompt with its completion that is longer than `max_length` tokens is left out and counted; nothing
is ever cut.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from plumbline.models.chat import TurnEnd, answered, turn_end
from plumbline.records import Example, Pair
from plumbline.storage.files import InputError, read_unique_rows
from plumbline.texts.thoughts import without_thoughts

log = logging.getLogger("plumbline")
Side = str | list[dict]  # plain text, or messages
IGNORED = -100  # the label of a token that is not trained on


@dataclass(frozen=True)
class TokenPair:
    """A pair as the model sees it. Both answers end with the token that ends answers."""

    id: str
    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]

    @property
    def length(self) -> int:
        """Tokens of the longer of the two sequences."""
        return len(self.prompt_ids) + max(len(self.chosen_ids), len(self.rejected_ids))

    def digest(self) -> str:
        """A digest of the tokens: the same for files with the same tokens."""
        text = repr([self.prompt_ids, self.chosen_ids, self.rejected_ids])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_examples(path: Path, tokenizer, max_length: int) -> tuple[list[dict], dict[str, int]]:
    """The prompt-completion rows that fit `max_length` tokens (prompt, completion and end token).

    Returns them tokenised in TRL's form, with labels on the completion and its end token only, and the
    counts of dropped ones by reason. Raises InputError when a completion is empty or nothing is left.
    """
    texts = Texts(tokenizer)
    rows, too_long = [], 0
    for example in read_unique_rows(path, Example):
        row = example.model_dump(include={"prompt", "completion"})
        _check_sides(path, example.id, row, "completion")
        prompt, completion = texts.apart(*texts.tokens(row["prompt"], row["completion"]))
        if len(prompt) + len(completion) > max_length:
            too_long += 1
        else:
            labels = [IGNORED] * len(prompt) + completion
            rows.append({"input_ids": prompt + completion, "labels": labels})
    return rows, _dropped(path, len(rows), too_long, max_length)


def load_pairs(path: Path, tokenizer, max_length: int) -> tuple[list[TokenPair], dict[str, int]]:
    """The pairs of which both sides fit `max_length` tokens, and the counts of dropped ones by reason.

    Pairs with equal sides are dropped too. Raises InputError when a side is empty, or nothing is left.
    """
    texts = Texts(tokenizer)
    pairs, too_long, equal = [], 0, 0
    for pair in read_unique_rows(path, Pair):
        row = pair.model_dump(include={"prompt", "chosen", "rejected"})
        _check_sides(path, pair.id, row, "chosen", "rejected")
        prompt, *sides = texts.tokens(row["prompt"], row["chosen"], row["rejected"])
        tokens = TokenPair(pair.id, *texts.apart(prompt, *sides))
        if tokens.chosen_ids == tokens.rejected_ids:
            equal += 1  # such a pair has no gradient
        elif tokens.length > max_length:
            too_long += 1
        else:
            pairs.append(tokens)
    if equal and not pairs and not too_long:
        raise InputError(f"{path}: chosen and rejected are equal in every pair; build it again.")
    return pairs, {"equal_sides": equal, **_dropped(path, len(pairs), too_long, max_length)}


def unpaired(pairs: Iterable[TokenPair], seed: int) -> list[dict]:
    """Chosen and rejected answers of the pairs as rows of their own, for KTO.

    The order is drawn with the seed: KTO uses the rows in their order, as it compares each answer with
    its neighbour's.
    """
    import random

    rows = [
        {"prompt_ids": pair.prompt_ids, "completion_ids": ids, "label": label}
        for pair in pairs
        for ids, label in ((pair.chosen_ids, True), (pair.rejected_ids, False))
    ]
    random.Random(seed).shuffle(rows)
    return rows


class Texts:
    """Prompts and answers as a model's tokens.

    Prompts are tokenised as for generation. Every answer ends with exactly one end token: EOS after
    plain text; after a chat turn, the token with which the template ends it (generation stops there,
    too), or EOS if it has none. Whatever the template writes after that is not trained on.
    """

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self._end: TurnEnd | None = None

    def tokens(self, prompt: Side, *answers: Side) -> list[list[int]]:
        """The tokens of the prompt alone, and of the prompt with each of the answers."""
        eos = self._tokenizer.eos_token_id
        if isinstance(prompt, str):
            wholes = [prompt + answer.removesuffix(self._tokenizer.eos_token) for answer in answers]
            return [self._ids(prompt), *([*self._ids(whole), eos] for whole in wholes)]
        if self._end is None:
            self._end = turn_end(self._tokenizer)
        last = eos if self._end.token is None else self._end.token
        found = []
        for answer in answers:
            asked, rest = answered(self._tokenizer, prompt, answer, self._end)
            found.append([*self._ids(asked + rest, templated=True), last])
        return [self._ids(asked, templated=True), *found]

    @staticmethod
    def apart(prompt: list[int], *wholes: list[int]) -> list[list[int]]:
        """The prompt's tokens and those of each answer.

        An answer begins where the tokens of the whole begin to differ from those of the prompt alone.
        """
        cut = min(_shared(prompt, whole) for whole in wholes)
        return [prompt[:cut], *(whole[cut:] for whole in wholes)]

    def _ids(self, text: str, templated: bool = False) -> list[int]:
        return self._tokenizer(text, add_special_tokens=not templated)["input_ids"]


def _shared(first: list[int], second: list[int]) -> int:
    """Length of the longest common prefix."""
    length = min(len(first), len(second))
    return next((i for i in range(length) if first[i] != second[i]), length)


def _check_sides(path: Path, name: str, row: dict, *sides: str) -> None:
    for side in sides:
        text = row[side]
        if not isinstance(text, str):
            text = "".join(message["content"] for message in text)
        if not without_thoughts(text).strip():
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
