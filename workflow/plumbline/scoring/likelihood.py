"""Log-likelihood of given continuations; whatever prompts share is computed once.

One key-value cache grows in three steps: the prefix that all prompts share, the rest of each
prompt, and its continuations. Prompts of a batch are equally long and continuations are filled up
on their right, where no token that counts looks; so there is no attention mask to get wrong, and
models with sliding windows are exact as well.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, takewhile

from plumbline.memory import first_that_fits, halves
from plumbline.program import Progress

PRECISE_ROWS = 256  # logits in float32 at once, each as wide as the vocabulary
BATCH = "scoring.batch_tokens"
REMEDY = "Use a device with more memory, or shorten prompts and answers."
Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Item:
    """A prompt and its continuations as token ids; none of them is empty."""

    prompt: Tokens
    continuations: tuple[Tokens, ...]


def score(
    model, items: Sequence[Item], batch_tokens: int, progress: Progress | None = None
) -> list[list[float]]:
    """Σ log p of each continuation's tokens given its prompt (nats), in the order of `items`.

    `model` is a causal language model of transformers that caches keys and values, in evaluation
    mode. A forward pass spans at most `batch_tokens` tokens, cached ones and filling included, or
    one row if that alone is longer; half of them, and so on, when memory does not suffice. log p is
    computed in float32 at least, whatever the model's precision. `progress` counts items.

    Raises InputError when not even one row fits into memory.
    """
    scores: dict[int, list[float]] = {}

    def attempt(tokens: int) -> None:
        left = [i for i in range(len(items)) if i not in scores]
        found = _scored(model, [items[i] for i in left], tokens)
        for batch in found:
            scores.update({left[place]: sums for place, sums in batch.items()})
            if progress:
                progress.advance(len(batch))

    # With less than twice the tokens of the shortest row, each pass is of one row.
    shortest = min((len(i.prompt) + min(map(len, i.continuations)) for i in items), default=2) - 1
    first_that_fits(
        halves(batch_tokens, shortest),
        attempt,
        BATCH,
        REMEDY,
    )
    return [scores[i] for i in range(len(items))]


def _scored(model, items: Sequence[Item], batch_tokens: int) -> Iterator[dict[int, list[float]]]:
    """The sums of one batch of items after the other, by their places in `items`."""
    import torch
    from transformers import DynamicCache

    if not items:
        return
    # The last token of a prompt goes with the continuations, whose first tokens it predicts.
    prompts = [item.prompt[:-1] for item in items]
    first, last = min(prompts), max(prompts)  # no two differ earlier than these
    shared = len([*takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))])
    order = sorted(range(len(items)), key=lambda i: len(prompts[i]))
    with torch.inference_mode():
        start = DynamicCache(config=model.config)
        if shared:
            _read(model, [prompts[0][:shared]], start)
        for length, group in groupby(order, key=lambda i: len(prompts[i])):
            group, size = list(group), max(1, batch_tokens // (length + 1))
            for batch in (group[at : at + size] for at in range(0, len(group), size)):
                cache = _branch(model, start, [0] * len(batch))
                if length > shared:
                    _read(model, [prompts[i][shared:] for i in batch], cache)
                rows = [
                    _Row(place, i, choice, (items[i].prompt[-1], *tokens))
                    for place, i in enumerate(batch)
                    for choice, tokens in enumerate(items[i].continuations)
                ]
                scores = {i: [0.0] * len(items[i].continuations) for i in batch}
                for part in _fitting(rows, length, batch_tokens):
                    branch = _branch(model, cache, [row.place for row in part])
                    sums = _sums(model, branch, [row.tokens for row in part])
                    for row, value in zip(part, sums, strict=True):
                        scores[row.item][row.choice] = value
                yield scores


@dataclass(frozen=True)
class _Row:
    """One continuation: its prompt's row in the cache, and its tokens after the prompt's last."""

    place: int
    item: int
    choice: int
    tokens: Tokens


def _fitting(rows: list[_Row], cached: int, batch_tokens: int) -> Iterator[list[_Row]]:
    """Rows of like length in parts that fit `batch_tokens` (one row always does)."""
    part: list[_Row] = []
    for row in sorted(rows, key=lambda row: len(row.tokens)):
        if part and (len(part) + 1) * (cached + len(row.tokens) - 1) > batch_tokens:
            yield part
            part = []
        part.append(row)
    yield part


def _branch(model, cache, rows: list[int]):
    """A cache that holds these rows of `cache` (any one any number of times), which stays as is."""
    import torch

    branch = copy.copy(cache)
    branch.layers = [copy.copy(layer) for layer in cache.layers]  # selecting makes new tensors
    branch.batch_select_indices(torch.tensor(rows, device=model.device))
    return branch


def _read(model, rows: Sequence[Tokens], cache) -> None:
    """Add equally long rows of tokens to the cache."""
    import torch

    ids = torch.tensor(rows, device=model.device)
    model.base_model(input_ids=ids, past_key_values=cache, use_cache=True)


def _sums(model, cache, rows: list[Tokens]) -> list[float]:
    """Σ log p of each row's tokens but its first, given the cache and the tokens before them."""
    import torch

    width = max(map(len, rows)) - 1
    filled = torch.tensor([row + (0,) * (width + 1 - len(row)) for row in rows])
    lengths = torch.tensor([len(row) - 1 for row in rows])
    chosen = (torch.arange(width) < lengths[:, None]).to(model.device)
    filled = filled.to(model.device)
    with only_at(model.get_output_embeddings(), chosen):
        output = model(input_ids=filled[:, :-1], past_key_values=cache, use_cache=True)
    precise = torch.promote_types(output.logits.dtype, torch.float32)
    found = torch.zeros(chosen.shape, dtype=precise, device=model.device)
    found[chosen] = torch.cat([
        torch.log_softmax(logits.to(precise), -1).gather(-1, targets[:, None])[:, 0]
        for logits, targets in zip(
            output.logits[0].split(PRECISE_ROWS),
            filled[:, 1:][chosen].split(PRECISE_ROWS),
            strict=True,
        )
    ])  # fmt: skip
    return found.sum(-1).tolist()


@contextmanager
def only_at(head, chosen) -> Iterator[None]:
    """Let `head` project only the chosen positions (rows x width): logits are 1 x chosen x words.

    In the model's own forward pass, so that whatever it does to its logits is done here too.
    """
    handle = head.register_forward_pre_hook(lambda module, inputs: (inputs[0][chosen][None],))
    try:
        yield
    finally:
        handle.remove()
