"""What token ranks cost by one forward pass an answer, and by one a token.

Prompts of 24 tokens and answers of 32, 64 and 128, random tokens, in float32: by one pass, and by a
pass a token with a key-value cache. Both must give the same ranks, but that rounding moves the high
ones of random tokens by a few of some ten thousand.
"""

import random
from functools import partial
from pathlib import Path

import torch
from measuring import check, cost_of, cost_rows, embedded_model, in_turn
from plumbline.models import checkpoints
from plumbline.scoring.ranks import TokenizedAnswer, token_ranks
from transformers import DynamicCache

PROMPT, LENGTHS = 24, (32, 64, 128)
ANSWERS = 2  # of each length
AGREE = 0.99  # share of ranks that are the same to a thousandth


def _rank(logits: torch.Tensor, token: int) -> int:
    logp = torch.log_softmax(logits.float(), -1)
    return 1 + int((logp > logp[token]).sum())


def with_cache(model, answer: TokenizedAnswer) -> list[int]:
    """A forward pass a token over the newest one alone."""
    cache, new, found = DynamicCache(config=model.config), list(answer.prompt), []
    for token in answer.tokens:
        output = model(torch.tensor([new]), past_key_values=cache, logits_to_keep=1)
        found.append(_rank(output.logits[0, -1], token))
        new = [token]
    return found


def agreement(one: list[list[int]], other: list[list[int]]) -> float:
    """The share of tokens whose ranks are the same to a thousandth."""
    pairs = [pair for a, b in zip(one, other, strict=True) for pair in zip(a, b, strict=True)]
    return sum(abs(a - b) <= max(a, b) / 1000 for a, b in pairs) / len(pairs)


def _agree(found: dict[str, list[list[int]]]) -> None:
    for name, ranks in found.items():
        share = agreement(found["one pass"], ranks)
        check(share >= AGREE, f"{name}: only {share:.1%} of ranks agree with one pass")


def measure(folder: Path, lengths: tuple[int, ...] = LENGTHS) -> list[dict]:
    """Rows for each length of answer; nothing is written into `folder`."""
    model = checkpoints.load_model(embedded_model(), "float32").eval()
    source, words, rows = random.Random(1), model.config.vocab_size, []

    def drawn(count: int) -> tuple[int, ...]:
        return tuple(source.randrange(words) for _ in range(count))

    def each(answers: list[TokenizedAnswer]) -> list[list[int]]:
        with torch.inference_mode():
            return [with_cache(model, answer) for answer in answers]

    for length in lengths:
        answers = [TokenizedAnswer(drawn(PROMPT), drawn(length)) for _ in range(ANSWERS)]
        work = {
            "one pass": partial(token_ranks, model, answers, 8192),
            "a pass a token": partial(each, answers),
        }
        variants = {name: partial(cost_of, run) for name, run in work.items()}
        costs = in_turn(variants, _agree)
        rows += cost_rows(f"token shift, answers of {length} tokens", costs, "one pass")
    return rows
