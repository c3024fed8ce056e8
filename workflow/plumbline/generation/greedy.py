"""Greedy answers whose decoding stops as soon as nothing more can be learnt from them.

`transformers.generate` runs every row of a batch until the last one ends. Here rows leave the batch
(and its key-value cache) one by one, which makes asking a model after every epoch several times
cheaper: most wrong answers are given away by their first token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from plumbline.generation.engine import left_padded
from plumbline.models.caches import attends_only, cache_name
from plumbline.models.finite import check_logits


def greedy_answers(
    model,
    tokenizer,
    prompts: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    end_token_ids: Sequence[int],
    go_on: Callable[[int, str], bool],
    batch_size: int = 64,
    key: str = "the training's dtype",
) -> list[str]:
    """The greedy answer to each prompt (token ids), in their order.

    go_on(i, text): whether the answer to prompt i that begins with text is worth finishing. An
    answer that is not is returned as far as it was decoded; end tokens are not part of a text.
    Batches hold prompts of equal length where the model might take filling for a part of them.
    InputError, with `key` as the setting to change, when a logit is no number.
    """
    answers: list[str] = [""] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    padded = attends_only(model)
    with _trainable_head(model):
        for _, alike in groupby(order, key=lambda i: None if padded else len(prompts[i])):
            alike = list(alike)
            for start in range(0, len(alike), batch_size):
                rows = alike[start : start + batch_size]
                texts = _batch(
                    model, tokenizer, prompts, rows, max_tokens, set(end_token_ids), go_on, key
                )
                for row, text in zip(rows, texts, strict=True):
                    answers[row] = text
    return answers


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
    """Whether several processes hold the weights together."""
    from torch.distributed.fsdp import FSDPModule

    return isinstance(model, FSDPModule)


def _batch(model, tokenizer, prompts, rows, max_tokens, ends, go_on, key) -> list[str]:
    import torch
    from transformers import DynamicCache

    ids, mask = left_padded([prompts[row] for row in rows], tokenizer.pad_token_id, model.device)
    name, filled = cache_name(model), not mask.all()  # some models take no mask with a cache
    cache = DynamicCache(config=model.config) if name else None
    decoded: list[list[int]] = [[] for _ in rows]
    active = list(range(len(rows)))  # positions in `rows` that are still in the batch
    # Shared weights are brought together in buffers that training uses again, which tensors of the
    # inference mode could not be.
    with torch.no_grad() if _is_shared(model) else torch.inference_mode():
        for _ in range(max_tokens):
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            output = model(
                input_ids=ids, attention_mask=mask if filled else None, position_ids=positions,
                logits_to_keep=1,
                use_cache=name is not None, **({name: cache} if name else {}),
            )  # fmt: skip
            check_logits(output.logits[:, -1], model, key)
            tokens = output.logits[:, -1].float().argmax(-1)
            kept = []
            for place, token in enumerate(tokens.tolist()):
                if token in ends:
                    continue
                decoded[active[place]].append(token)
                text = tokenizer.decode(decoded[active[place]], skip_special_tokens=True)
                if go_on(rows[active[place]], text):
                    kept.append(place)
            if not kept:
                break
            chosen = torch.tensor(kept, device=model.device)
            if name and len(kept) < len(active):
                cache.reorder_cache(chosen)  # which all kinds of layers can do
            active = [active[place] for place in kept]
            new = tokens[chosen][:, None]
            ids = new if name else torch.cat([ids[chosen], new], dim=1)
            mask = torch.cat([mask[chosen], mask.new_ones(len(kept), 1)], dim=1)
    return [tokenizer.decode(tokens, skip_special_tokens=True) for tokens in decoded]
