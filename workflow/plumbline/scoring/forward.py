"""Forward passes over given tokens: the one place where logits become log-probabilities.

Rows are padded on their right, which no token that counts attends to; so no attention mask is needed,
and models with sliding windows or a recurrent state are exact as well. The head projects only the
positions that predict a token that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from plumbline.models.caches import attends_only
from plumbline.models.finite import check_logits

PRECISE_ROWS = 256  # rows of logits in float32 at once, each as wide as the vocabulary
BATCH = "scoring.batch_tokens"
REMEDY = "Use a device with more memory, or shorten prompts and answers."
Tokens = tuple[int, ...]


def at_last_tokens(
    model, rows: Sequence[Tokens], counts: Sequence[int], measure: Callable, key: str, cache=None
) -> list:
    """The values of `measure` for the last counts[i] tokens of every row, given those before them.

    measure(logp, targets): a value for each of the targets (n) from their positions' log-softmax (n x
    vocabulary), at least in float32, whatever the model's precision. `cache` contains what precedes the
    rows; the first of its tokens that is measured needs one before it, in the row. Returns one
    tensor of counts[i] values per row. InputError, with `key` as the setting to change, when a logit
    is not a number.
    """
    import torch

    width = max(map(len, rows)) - 1  # the last token of a row is predicted but never read
    filled = torch.tensor([row + (0,) * (width + 1 - len(row)) for row in rows])
    ends = torch.tensor([len(row) - 1 for row in rows])[:, None]
    places = torch.arange(width)
    chosen = (places >= ends - torch.tensor(counts)[:, None]) & (places < ends)
    filled, chosen = filled.to(model.device), chosen.to(model.device)
    cached = {} if cache is None else {"past_key_values": cache}
    with _only_at(model.get_output_embeddings(), chosen):
        output = model(input_ids=filled[:, :-1], use_cache=cache is not None, **cached)
    measured = []
    for logits, targets in zip(
        output.logits[0].split(PRECISE_ROWS),
        filled[:, 1:][chosen].split(PRECISE_ROWS),
        strict=True,
    ):
        check_logits(logits, model, key)
        precise = torch.promote_types(logits.dtype, torch.float32)
        measured.append(measure(torch.log_softmax(logits.to(precise), -1), targets))
    return list(torch.cat(measured).split(list(counts)))


def has_branches(model) -> bool:
    """Whether what a model has read can be copied row by row and continued from, exactly.

    This is so if only attention looks back, by positions that do not depend on the whole length, and
    if the model uses the cache that it is given.
    """
    from transformers import DynamicCache

    if not (attends_only(model) and fills(model)):
        return False
    cache = DynamicCache(config=model.config)
    read(model, [(0,)], cache)
    return all(layer.get_seq_length() == 1 for layer in cache.layers)


def fills(model) -> bool:
    """Whether rows of a batch may differ in length: not if positions depend on the longest row.

    They do with dynamic and long RoPE.
    """
    parameters = getattr(model.config.get_text_config(), "rope_parameters", None) or {}
    kinds = [parameters, *(value for value in parameters.values() if isinstance(value, dict))]
    return not any(kind.get("rope_type") in ("dynamic", "longrope") for kind in kinds)


def batches(model, lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of rows of these lengths, shortest first, in batches of at most `batch_tokens`.

    Padding counts; one row always fits. Rows of one batch have equal lengths if the model needs that.
    """
    batch: list[int] = []
    filled = fills(model)
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        full = (len(batch) + 1) * lengths[i] > batch_tokens
        if batch and (full or (not filled and lengths[batch[0]] != lengths[i])):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def read(model, rows: Sequence[Tokens], cache) -> None:
    """Add rows of tokens of equal length to the cache."""
    import torch

    with torch.inference_mode():
        ids = torch.tensor(rows, device=model.device)
        model.base_model(input_ids=ids, past_key_values=cache, use_cache=True)


@contextmanager
def _only_at(head, chosen) -> Iterator[None]:
    """Let `head` project only the chosen positions (rows x width): logits are 1 x chosen x words.

    This happens in the model's own forward pass, so whatever it does to its logits is done here too.
    """
    handle = head.register_forward_pre_hook(lambda module, inputs: (inputs[0][chosen][None],))
    try:
        yield
    finally:
        handle.remove()
