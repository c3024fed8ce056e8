"""Log-likelihood of given continuations; whatever prompts share is computed once.

One key-value cache grows in three steps: the prefix that all prompts share; as much of each prompt of
a batch as the shortest of them has; and the rest with each continuation. A model whose cache cannot be
branched (see `has_branches`) reads every prompt again for each of its continuations.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from plumbline.jobs import effort
from plumbline.jobs.memory import first_that_fits, halves
from plumbline.jobs.program import Progress
from plumbline.scoring.forward import (
    BATCH,
    REMEDY,
    Tokens,
    at_last_tokens,
    batches,
    has_branches,
    read,
)
from plumbline.storage.files import InputError

# How many tokens take about as long as the fixed cost of a forward pass.
PASS = 256


@dataclass(frozen=True)
class TokenizedItem:
    """A prompt and its continuations as token ids; none of them is empty."""

    prompt: Tokens
    continuations: tuple[Tokens, ...]


@effort.passes()
def score(
    model,
    items: Sequence[TokenizedItem],
    batch_tokens: int,
    progress: Progress | None = None,
    key: str = "scoring.dtype",
) -> list[list[float]]:
    """Σ log p of each continuation's tokens given its prompt (nats), in the order of `items`.

    `model` is a causal language model of transformers in evaluation mode. A forward pass has at most
    `batch_tokens` tokens, including cached ones and padding, or one row if that alone is longer;
    half as many, and so on, if memory is short. log p is computed at least in float32, whatever the
    model's precision. `progress` counts items; `key` is the setting of the precision.

    Raises InputError when not even one row fits into memory, when a logit is not a number, and when a
    continuation is impossible (log p -inf).
    """
    scores: dict[int, list[float]] = {}

    def attempt(tokens: int) -> None:
        left = [i for i in range(len(items)) if i not in scores]
        found = _scored(model, [items[i] for i in left], tokens, key)
        for batch in found:
            scores.update({left[place]: sums for place, sums in batch.items()})
            if progress:
                progress.advance(len(batch))

    # With less than twice the tokens of the shortest row, every pass has one row.
    shortest = min((len(i.prompt) + min(map(len, i.continuations)) for i in items), default=2) - 1
    first_that_fits(
        halves(batch_tokens, shortest),
        attempt,
        BATCH,
        REMEDY,
    )
    return [scores[i] for i in range(len(items))]


def _scored(
    model, items: Sequence[TokenizedItem], batch_tokens: int, key: str
) -> Iterator[dict[int, list[float]]]:
    """The sums of one batch of items after another, by the items' indices."""
    import torch

    if items:
        with torch.inference_mode():
            way = _branching if has_branches(model) else _anew
            yield from way(model, items, batch_tokens, key)


def _branching(
    model, items: Sequence[TokenizedItem], batch_tokens: int, key: str
) -> Iterator[dict[int, list[float]]]:
    from transformers import DynamicCache

    # The last token of a prompt is read with the continuations, whose first tokens it predicts.
    prompts = [item.prompt[:-1] for item in items]
    first, last = min(prompts), max(prompts)  # no two differ earlier than these two
    shared = len([*takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))])
    order = sorted(range(len(items)), key=lambda i: len(prompts[i]))
    start = DynamicCache(config=model.config)
    if shared:
        read(model, [prompts[0][:shared]], start)
    for batch in _alike([items[i] for i in order], batch_tokens):
        batch = [order[at] for at in batch]
        length = len(prompts[batch[0]])
        cache = _branch(model, start, [0] * len(batch))
        if length > shared:
            read(model, [prompts[i][shared:length] for i in batch], cache)
        rows = [
            _Row(place, i, choice, (*items[i].prompt[length:], *tokens), len(tokens))
            for place, i in enumerate(batch)
            for choice, tokens in enumerate(items[i].continuations)
        ]
        scores = {i: [0.0] * len(items[i].continuations) for i in batch}
        lengths = [length + len(row.tokens) - 1 for row in rows]
        for places in batches(model, lengths, batch_tokens):
            part = [rows[at] for at in places]
            branch = _branch(model, cache, [row.place for row in part])
            for row, value in zip(part, _sums(model, part, key, branch), strict=True):
                scores[row.item][row.choice] = value
        yield scores


def _alike(items: Sequence[TokenizedItem], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of items, sorted with the shortest prompt first, in batches.

    The part of a prompt beyond the length of the batch's first is read with its continuations, and all
    rows are padded to the longest. If this costs more tokens than a pass is worth, a new batch begins.
    """
    batch: list[int] = []
    rows = shortest = 0
    for place, item in enumerate(items):
        rows += len(item.continuations)
        wider = rows * (len(item.prompt) - shortest) > PASS
        if batch and (wider or (len(batch) + 1) * shortest > batch_tokens):
            yield batch
            batch = []
        if not batch:
            rows, shortest = len(item.continuations), len(item.prompt)
        batch.append(place)
    if batch:
        yield batch


def _anew(
    model, items: Sequence[TokenizedItem], batch_tokens: int, key: str
) -> Iterator[dict[int, list[float]]]:
    rows = [
        _Row(0, i, choice, item.prompt + tokens, len(tokens))
        for i, item in enumerate(items)
        for choice, tokens in enumerate(item.continuations)
    ]
    found: dict[int, dict[int, float]] = {i: {} for i in range(len(items))}
    for places in batches(model, [len(row.tokens) - 1 for row in rows], batch_tokens):
        part = [rows[at] for at in places]
        for row, value in zip(part, _sums(model, part, key), strict=True):
            found[row.item][row.choice] = value
            if len(found[row.item]) == len(items[row.item].continuations):
                yield {row.item: [value for _, value in sorted(found[row.item].items())]}


@dataclass(frozen=True)
class _Row:
    """One continuation: its prompt's row in the cache, and the tokens read, of which `count` count."""

    place: int
    item: int
    choice: int
    tokens: Tokens
    count: int


def _branch(model, cache, rows: list[int]):
    """A cache with these rows of `cache` (each any number of times), which remains unchanged."""
    import torch

    branch = copy.copy(cache)
    branch.layers = [copy.copy(layer) for layer in cache.layers]  # selecting makes new tensors
    branch.batch_select_indices(torch.tensor(rows, device=model.device))
    return branch


def _sums(model, rows: list[_Row], key: str, cache=None) -> list[float]:
    """Σ log p of the tokens of each row that count, given the cache and the tokens before them."""
    import torch

    def own(logp, targets):
        return logp.gather(-1, targets[:, None])[:, 0]

    tokens, counts = [row.tokens for row in rows], [row.count for row in rows]
    found = at_last_tokens(model, tokens, counts, own, key, cache)
    sums = torch.stack([values.sum() for values in found]).tolist()
    if -math.inf in sums:
        raise InputError(
            f"{model.config.name_or_path}: it gives the tokens {rows[sums.index(-math.inf)].tokens} "
            f"probability 0, so that they cannot be compared; remove the text they stand for."
        )
    return sums
