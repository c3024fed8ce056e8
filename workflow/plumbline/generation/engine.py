"""What both engines speak: prompts as token ids in, completions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from plumbline.models import checkpoints
from plumbline.records import Sampling


@dataclass(frozen=True)
class RenderedPrompt:
    """A rendered prompt and how to sample its answers."""

    token_ids: tuple[int, ...]
    sampling: Sampling


@dataclass(frozen=True)
class Completion:
    """One answer. `text` is without stop string and end token, `token_ids` is as sampled."""

    text: str
    token_ids: list[int]
    finish: str


class Engine(Protocol):
    """A started model. `complete` returns, for each prompt, its `sampling.n` completions."""

    def complete(self, prompts: list[RenderedPrompt]) -> list[list[Completion]]: ...


def render(tokenizer, request) -> tuple[int, ...]:
    """Token ids of a request's prompt; `messages` go through the model's own chat template."""
    if request.prompt is not None:
        return tuple(tokenizer(request.prompt)["input_ids"])
    messages = [message.model_dump() for message in request.messages]
    encoded = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True
    )
    return tuple(encoded["input_ids"])


def left_padded(rows: Sequence[Sequence[int]], pad_token_id: int, device):
    """(ids, mask), each rows x longest row: answers then continue at the right edge."""
    import torch

    width = max(map(len, rows))
    ids = [[pad_token_id] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def end_tokens(checkpoint: Path, tokenizer) -> list[int]:
    """Every token that ends an answer: the tokenizer's EOS and those the model's folder lists."""
    ids = {tokenizer.eos_token_id, *checkpoints.listed_ends(checkpoint)}
    return sorted(ids - {None})


def check_needs(name: str, model_folder, needs) -> None:
    """InputError unless a checkpoint of the model `name` can do what is asked of it."""
    from plumbline.models.checkpoints import load_tokenizer
    from plumbline.models.suitability import check

    tokenizer = load_tokenizer(model_folder)
    check(name, tokenizer, end_tokens(model_folder, tokenizer), needs)
