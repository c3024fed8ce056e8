"""Greedy answers whose decoding stops as soon as nothing more can be learnt from them.

`transformers.generate` runs every row of a batch until the last one ends. Here, rows leave the batch
(and its key-value cache) one by one, and most never enter one: all prompts are first read once with a
draft of their answers, which shows the greedy tokens up to the first that differs from the draft
(`drafts`). This makes asking a model after every epoch several times cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from plumbline.generation import drafts as by_draft
from plumbline.generation.engine import left_padded
from plumbline.models.caches import attends_only, cache_name
from plumbline.models.finite import check_logits
from plumbline.scoring.forward import has_branches


class Decoding:
    """Greedy answers as far as they are decoded, extended token by token.

    go_on(i, text): whether an answer to prompt i that begins with text is worth finishing.
    """

    def __init__(self, tokenizer, count: int, max_tokens: int, ends: Sequence[int], go_on):
        self._tokenizer, self._ends, self._go_on = tokenizer, frozenset(ends), go_on
        self.max_tokens = max_tokens
        self.tokens: list[list[int]] = [[] for _ in range(count)]
        self.open = set(range(count))

    def add(self, i: int, token: int) -> bool:
        """Extend answer i by a token; returns whether another one is to follow."""
        if token not in self._ends:
            self.tokens[i].append(token)
            if self._go_on(i, self.text(i)) and len(self.tokens[i]) < self.max_tokens:
                return True
        self.open.discard(i)
        return False

    def text(self, i: int) -> str:
        return self._tokenizer.decode(self.tokens[i], skip_special_tokens=True)


def greedy_answers(
    model,
    tokenizer,
    prompts: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    end_token_ids: Sequence[int],
    go_on: Callable[[int, str], bool],
    drafts: Sequence[Sequence[int]] | None = None,
    batch_size: int = 64,
    key: str = "the training's dtype",
) -> list[str]:
    """The greedy answer to each prompt (token ids), in their order.

    go_on(i, text): whether the answer to prompt i that begins with text is worth finishing. Other
    answers are returned as far as they were decoded; end tokens are not part of a text. drafts:
    tokens that each answer is likely to begin with; they affect the cost, not the answers. Batches
    contain prompts of equal length if the model might take padding for part of them. InputError,
    with `key` as the setting to change, when a logit is not a number.
    """
    answers = Decoding(tokenizer, len(prompts), max_tokens, end_token_ids, go_on)
    if drafts is not None and prompts and not _is_shared(model) and has_branches(model):
        by_draft.follow(model, prompts, drafts, answers, batch_size, key)
    begun = {i: [*prompts[i], *answers.tokens[i]] for i in answers.open}
    order = sorted(begun, key=lambda i: len(begun[i]))
    padded = attends_only(model)
    with _trainable_head(model):
        for _, alike in groupby(order, key=lambda i: None if padded else len(begun[i])):
            alike = list(alike)
            for start in range(0, len(alike), batch_size):
                _batch(model, tokenizer, begun, alike[start : start + batch_size], answers, key)
    return [answers.text(i) for i in range(len(prompts))]


@contextmanager
def _trainable_head(model) -> Iterator[None]:
    """On a CPU, torch 2.13 multiplies a strided slice with a frozen bfloat16 head some 300 times
    slower than with a trainable one; no gradient is computed either way.
    """
    if _is_shared(model):
        yield
        return
    weight = model.get_output_embeddings().weight
    frozen = not weight.requires_grad
    weight.requires_grad_(True)
    try:
        yield
    finally:
        weight.requires_grad_(not frozen)


def _is_shared(model) -> bool:
    """Whether several processes share the weights."""
    from torch.distributed.fsdp import FSDPModule

    return isinstance(model, FSDPModule)


def _batch(model, tokenizer, begun, rows: list[int], answers: Decoding, key: str) -> None:
    """Finish the answers to `rows`, each continuing from its tokens in `begun`."""
    import torch
    from transformers import DynamicCache

    ids, mask = left_padded([begun[row] for row in rows], tokenizer.pad_token_id, model.device)
    name, filled = cache_name(model), not mask.all()  # some models accept no mask with a cache
    cache = DynamicCache(config=model.config) if name else None
    # Shared weights are gathered in buffers that training uses again, which tensors of inference mode
    # could not be.
    with torch.no_grad() if _is_shared(model) else torch.inference_mode():
        while rows:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            output = model(
                input_ids=ids, attention_mask=mask if filled else None, position_ids=positions,
                logits_to_keep=1,
                use_cache=name is not None, **({name: cache} if name else {}),
            )  # fmt: skip
            check_logits(output.logits[:, -1], model, key)
            tokens = output.logits[:, -1].float().argmax(-1)
            kept = [
                place
                for place, token in enumerate(tokens.tolist())
                if answers.add(rows[place], token)
            ]
            chosen = torch.tensor(kept, dtype=torch.long, device=model.device)
            if name and 0 < len(kept) < len(rows):
                cache.reorder_cache(chosen)  # which all kinds of layers support
            rows = [rows[place] for place in kept]
            new = tokens[chosen][:, None]
            ids = new if name else torch.cat([ids[chosen], new], dim=1)
            mask = torch.cat([mask[chosen], mask.new_ones(len(kept), 1)], dim=1)
