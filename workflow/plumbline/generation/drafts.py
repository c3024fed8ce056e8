"""How far a model's greedy answer equals a given draft, found in one forward pass.

Reading a prompt with a draft shows, at each token of the draft, which token the model itself would
choose. Up to the first difference, these are the tokens that greedy decoding finds one by one
(speculative decoding with a given draft, Leviathan et al. 2023, at temperature 0). The common beginning
of several prompts is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from plumbline.scoring.forward import at_last_tokens, read

# The cost of a forward pass besides its tokens, in tokens.
PASS = 64


def follow(model, prompts, drafts, answers, batch_size: int, key: str) -> None:
    """Extend each of `answers` as far as it equals its draft, and by the token after that.

    prompts, drafts: token ids. The model's cache must be one that branches (`has_branches`).
    """
    import torch
    from transformers import DynamicCache

    drafts = [tuple(draft[: answers.max_tokens - 1]) for draft in drafts]
    rows = [(*prompt, *draft) for prompt, draft in zip(prompts, drafts, strict=True)]
    with torch.inference_mode():
        for batch, shared in cheapest_batches(prompts, list(map(len, rows)), batch_size):
            cache = DynamicCache(config=model.config)
            if shared:
                read(model, [rows[batch[0]][:shared]], cache)
                cache.batch_repeat_interleave(len(batch))
            found = at_last_tokens(
                model,
                [(*rows[i][shared:], 0) for i in batch],  # the last one is predicted, not read
                [len(drafts[i]) + 1 for i in batch],
                lambda logp, _: logp.argmax(-1),
                key,
                cache,
            )
            for i, chosen in zip(batch, found, strict=True):
                for token, guess in zip_longest(chosen.tolist(), drafts[i]):
                    if not answers.add(i, token) or token != guess:
                        break


def cheapest_batches(
    prompts: Sequence[Sequence[int]], lengths: Sequence[int], limit: int
) -> Iterator[tuple[list[int], int]]:
    """Indices of rows in batches of at most `limit`, and how many first tokens each batch shares.

    Rows (of these lengths) begin with prompts, whose last tokens are never shared. A batch costs
    what it shares once, the rest of its longest row for each row, and PASS; of all divisions of the
    rows, sorted by their prompts, these cost the least.
    """
    order = sorted(range(len(prompts)), key=lambda i: tuple(prompts[i]))
    alike = [_common(prompts[one], prompts[other]) for one, other in pairwise(order)]
    cheapest = [(0, 0, 0)]  # for the first n rows: cost, start and share of their last batch
    for end in range(1, len(order) + 1):
        shared, width, ways = len(prompts[order[end - 1]]), 0, []
        for begin in range(end - 1, max(end - limit, 0) - 1, -1):
            if begin < end - 1:
                shared = min(shared, alike[begin])
            shared = min(shared, len(prompts[order[begin]]) - 1)
            width = max(width, lengths[order[begin]])
            cost = cheapest[begin][0] + PASS + shared + (end - begin) * (width - shared)
            ways.append((cost, begin, shared))
        cheapest.append(min(ways))
    end = len(order)
    while end:
        _, begin, shared = cheapest[end]
        yield order[begin:end], shared
        end = begin


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two prompts have in common at their beginning."""
    length = min(len(one), len(other))
    return next((i for i in range(length) if one[i] != other[i]), length)
