"""Ranks of given tokens in a model's distributions, from one forward pass an answer.

A row is its prompt and answer, filled up on the right, where no token that counts looks; so there
is no attention mask to get wrong. The head projects only the positions that predict an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from plumbline.files import InputError
from plumbline.memory import first_that_fits, halves
from plumbline.program import Progress
from plumbline.scoring.likelihood import BATCH, PRECISE_ROWS, REMEDY, Tokens, only_at


class Answer(NamedTuple):
    """A prompt and its answer as token ids; the prompt is not empty."""

    prompt: Tokens
    tokens: Tokens


def token_ranks(
    model, answers: Sequence[Answer], batch_tokens: int, progress: Progress | None = None
) -> list[list[int]]:
    """The rank of every token of every answer, given prompt and tokens before it; 1 is the likeliest.

    rank = 1 + number of tokens that are strictly likelier, so that a tie gets the better rank; by
    log-softmax in float32 at least. In the order of `answers`, one list of len(tokens) each.
    `model` is a causal language model in evaluation mode. A forward pass spans at most
    `batch_tokens` tokens, filling included, or one row if that alone is longer; half of them, and so
    on, when memory does not suffice. InputError when a logit is no number, or when not even one row
    fits into memory.
    """
    import torch

    ranks: list[list[int]] = [[] for _ in answers]
    order = sorted(
        (i for i, answer in enumerate(answers) if answer.tokens),
        key=lambda i: len(answers[i].prompt) + len(answers[i].tokens),
    )
    if progress:
        progress.advance(len(answers) - len(order))

    def attempt(tokens: int) -> None:
        left = [i for i in order if not ranks[i]]
        with torch.inference_mode():
            for rows in _batches(answers, left, tokens):
                found = _batch(model, [answers[i] for i in rows])
                for i, row in zip(rows, found, strict=True):
                    ranks[i] = row
                if progress:
                    progress.advance(len(rows))

    # With less than twice the tokens of the shortest row, each pass is of one row.
    shortest = len(answers[order[0]].prompt) + len(answers[order[0]].tokens) - 1 if order else 1
    first_that_fits(halves(batch_tokens, shortest), attempt, BATCH, REMEDY)
    return ranks


def _batches(answers: Sequence[Answer], order: list[int], batch_tokens: int) -> Iterator[list[int]]:
    """Indices, shortest first, in batches that fit `batch_tokens` (one row always does)."""
    rows: list[int] = []
    for i in order:
        width = len(answers[i].prompt) + len(answers[i].tokens) - 1
        if rows and (len(rows) + 1) * width > batch_tokens:
            yield rows
            rows = []
        rows.append(i)
    if rows:
        yield rows


def _batch(model, answers: Sequence[Answer]) -> list[list[int]]:
    import torch

    # The last token is predicted but never read.
    read = [(answer.prompt + answer.tokens)[:-1] for answer in answers]
    width = max(map(len, read))
    ids = torch.tensor([row + (0,) * (width - len(row)) for row in read], device=model.device)
    starts = torch.tensor([len(answer.prompt) - 1 for answer in answers])[:, None]
    ends = torch.tensor([len(row) for row in read])[:, None]
    places = torch.arange(width)
    chosen = ((places >= starts) & (places < ends)).to(model.device)
    with only_at(model.get_output_embeddings(), chosen):
        logits = model(input_ids=ids, use_cache=False).logits[0]
    targets = torch.tensor(
        [token for answer in answers for token in answer.tokens], device=model.device
    )
    flat = torch.cat([
        _ranks(part, wanted)
        for part, wanted in zip(
            logits.split(PRECISE_ROWS), targets.split(PRECISE_ROWS), strict=True
        )
    ]).tolist()  # fmt: skip
    found, at = [], 0
    for answer in answers:
        found.append(flat[at : at + len(answer.tokens)])
        at += len(answer.tokens)
    return found


def _ranks(logits, targets):
    """Ranks (rows) of the targets (rows) in the logits (rows x vocabulary)."""
    import torch

    precise = torch.promote_types(logits.dtype, torch.float32)
    logp = torch.log_softmax(logits.to(precise), -1)
    own = logp.gather(-1, targets[:, None])
    # Nothing is larger than what is no number: without this, it would rank first.
    if own.isnan().any():
        raise InputError(
            "the model's logits are no numbers (NaN); use another dtype for it, e.g. "
            "evaluation.token_shift.dtype: float32."
        )
    return 1 + (logp > own).sum(-1)
