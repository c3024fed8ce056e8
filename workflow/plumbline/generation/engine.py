"""The interface of both engines: prompts as token ids in, completions out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.models import checkpoints
from plumbline.records import Sampling


@dataclass(frozen=True)
class RenderedPrompt:
    """A rendered prompt and how to sample its answers."""

    token_ids: tuple[int, ...]
    sampling: Sampling


@dataclass(frozen=True)
class Completion:
    """One answer. `text` is without stop string and end token; `token_ids` is as sampled."""

    text: str
    token_ids: list[int]
    finish: str


class Engine(ABC):
    """A started model."""

    @abstractmethod
    def stream(
        self, prompts: Iterable[tuple[str, RenderedPrompt]]
    ) -> Iterator[tuple[str, list[Completion]]]:
        """Each prompt's name with its `sampling.n` completions, as soon as they are finished.

        prompts: with different names; they are read only as fast as the engine takes them, so that
        few are in memory at once. Answers come in another order.
        """

    def complete(self, prompts: Sequence[RenderedPrompt]) -> list[list[Completion]]:
        """The completions of each prompt, in the prompts' order."""
        named = {str(number): prompt for number, prompt in enumerate(prompts)}
        found = dict(self.stream(named.items()))
        return [found[name] for name in named]


def render(tokenizer, request) -> tuple[int, ...]:
    """Token ids of a request's prompt; `messages` go through the model's own chat template."""
    if request.prompt is not None:
        return tuple(tokenizer(request.prompt)["input_ids"])
    messages = [message.model_dump() for message in request.messages]
    encoded = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True
    )
    return tuple(encoded["input_ids"])


def render_all(tokenizer, requests: Sequence) -> list[tuple[int, ...]]:
    """What `render` gives for each of them. Plain prompts are tokenised together, and each only
    once, since the same prompt is often both answered greedily and sampled.
    """
    plain = list(dict.fromkeys(one.prompt for one in requests if one.prompt is not None))
    ids = dict(zip(plain, map(tuple, tokenizer(plain)["input_ids"]), strict=True)) if plain else {}
    return [
        render(tokenizer, request) if request.prompt is None else ids[request.prompt]
        for request in requests
    ]


def left_padded(rows: Sequence[Sequence[int]], pad_token_id: int, device):
    """(ids, mask), each rows x longest row, padded on the left so that answers follow at the right."""
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
    """InputError unless a checkpoint of the model `name` meets the requirements."""
    from plumbline.models.checkpoints import load_tokenizer
    from plumbline.models.suitability import check

    tokenizer = load_tokenizer(model_folder)
    check(name, tokenizer, end_tokens(model_folder, tokenizer), needs)
