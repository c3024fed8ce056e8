"""Ranks of given tokens in a model's distributions, from one forward pass per answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from plumbline.jobs import effort
from plumbline.jobs.memory import first_that_fits, halves
from plumbline.jobs.program import Progress
from plumbline.scoring.forward import BATCH, REMEDY, Tokens, at_last_tokens, batches


class TokenizedAnswer(NamedTuple):
    """A prompt and its answer as token ids; the prompt is not empty."""

    prompt: Tokens
    tokens: Tokens


@effort.passes()
def token_ranks(
    model,
    answers: Sequence[TokenizedAnswer],
    batch_tokens: int,
    progress: Progress | None = None,
    key: str = "evaluation.token_shift.dtype",
) -> list[list[int]]:
    """The rank of every token of every answer, given prompt and tokens before it; 1 is the likeliest.

    rank = 1 + number of tokens that are strictly likelier, so a tie gets the better rank; by
    log-softmax, at least in float32. In the order of `answers`, one list of len(tokens) each.
    `model` is a causal language model in evaluation mode. A forward pass has at most `batch_tokens`
    tokens, including padding, or one row if that alone is longer; half as many, and so on, if memory
    is short. InputError when a logit is not a number, or when not even one row fits into memory.
    """
    import torch

    ranks: list[list[int]] = [[] for _ in answers]
    wanted = [i for i, answer in enumerate(answers) if answer.tokens]
    if progress:
        progress.advance(len(answers) - len(wanted))

    def length(answer: TokenizedAnswer) -> int:
        return len(answer.prompt) + len(answer.tokens) - 1

    def attempt(tokens: int) -> None:
        left = [i for i in wanted if not ranks[i]]
        with torch.inference_mode():
            for places in batches(model, [length(answers[i]) for i in left], tokens):
                batch = [left[place] for place in places]
                rows = [answers[i].prompt + answers[i].tokens for i in batch]
                counts = [len(answers[i].tokens) for i in batch]
                found = at_last_tokens(model, rows, counts, _ranks, key)
                for i, row in zip(batch, found, strict=True):
                    ranks[i] = row.tolist()
                if progress:
                    progress.advance(len(batch))

    # With less than twice the tokens of the shortest row, every pass has one row.
    shortest = min((length(answers[i]) for i in wanted), default=1)
    first_that_fits(halves(batch_tokens, shortest), attempt, BATCH, REMEDY)
    return ranks


def _ranks(logp, targets):
    """Ranks (rows) of the targets (rows) by their log-probabilities (rows x vocabulary)."""
    return 1 + (logp > logp.gather(-1, targets[:, None])).sum(-1)
