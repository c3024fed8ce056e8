"""What token ranks cost by one forward pass an answer, and by one a token.

    PYTHONPATH=workflow python tests/benchmarks/token_shift_cost.py MODEL_FOLDER

Prints seconds for prompts of 24 tokens and answers of 32, 64 and 128, random tokens, in float32: by
one pass; by a pass a token that reads everything before it again; and by a pass a token with a
key-value cache. All three must give the same ranks, but that rounding moves the high ones of random
tokens by a few of some ten thousand.
"""

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

import torch
from plumbline.models import checkpoints
from plumbline.scoring.ranks import TokenizedAnswer, token_ranks
from transformers import DynamicCache

PROMPT, LENGTHS = 24, (32, 64, 128)
AGREE = 0.99  # share of ranks that are the same to a thousandth


def _rank(logits: torch.Tensor, token: int) -> int:
    logp = torch.log_softmax(logits.float(), -1)
    return 1 + int((logp > logp[token]).sum())


def read_again(model, answer: TokenizedAnswer) -> list[int]:
    """A forward pass a token over all tokens before it."""
    ids = list(answer.prompt + answer.tokens)
    start = len(answer.prompt)
    return [
        _rank(model(torch.tensor([ids[:at]]), logits_to_keep=1).logits[0, -1], ids[at])
        for at in range(start, len(ids))
    ]


def with_cache(model, answer: TokenizedAnswer) -> list[int]:
    """A forward pass a token over the newest one alone."""
    cache, new, found = DynamicCache(config=model.config), list(answer.prompt), []
    for token in answer.tokens:
        output = model(torch.tensor([new]), past_key_values=cache, logits_to_keep=1)
        found.append(_rank(output.logits[0, -1], token))
        new = [token]
    return found


def timed(work: Callable[[], list[list[int]]], repeat: int) -> tuple[float, list[list[int]]]:
    """Seconds of the quickest of several runs, and what it found."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), found


def agreement(one: list[list[int]], other: list[list[int]]) -> float:
    """The share of tokens whose ranks are the same to a thousandth."""
    pairs = [pair for a, b in zip(one, other, strict=True) for pair in zip(a, b, strict=True)]
    return sum(abs(a - b) <= max(a, b) / 1000 for a, b in pairs) / len(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help="folder of a checkpoint")
    parser.add_argument("--answers", type=int, default=2, help="of each length")
    parser.add_argument("--repeat", type=int, default=2, help="runs; the quickest counts")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = checkpoints.load_model(args.model, "float32").eval()
    source, words = random.Random(1), model.config.vocab_size
    print("length  one pass s  read again s   ratio  with cache s   ratio")
    for length in LENGTHS:
        answers = [
            TokenizedAnswer(
                *(tuple(source.randrange(words) for _ in range(n)) for n in (PROMPT, length))
            )
            for _ in range(args.answers)
        ]
        once, expected = timed(lambda a=answers: token_ranks(model, a, 8192), args.repeat)
        line = f"{length:>6}  {once:>10.2f}"
        for slow, width in ((read_again, 12), (with_cache, 12)):
            with torch.inference_mode():
                seconds, found = timed(
                    lambda a=answers, f=slow: [f(model, one) for one in a], args.repeat
                )
            if (share := agreement(expected, found)) < AGREE:
                raise SystemExit(f"{slow.__name__}: only {share:.1%} of ranks agree.")
            line += f"  {seconds:>{width}.2f}  {seconds / once:>6.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
