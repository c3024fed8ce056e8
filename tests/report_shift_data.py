"""Token shift for the report's tests: simulated ranks, really measured and judged."""

from __future__ import annotations

import numpy as np
from plumbline.evaluation import alignment
from plumbline.evaluation import rank_shift as shift
from plumbline.evaluation.estimation import mean

PAIRS = {
    ("grath.r2", "base"): (0.2, 0.2),
    ("flame.sft-star.dpo-star", "flame.sft-star"): (0.2, 0.02),
}
PROMPTS, WORDS = 12, [" the", " of", "\n", " town", " is", "."]
HOW = dict(confidence=0.95)


def answer(rng, domain: str, place: int, shifted: float) -> shift.TokenShift:
    """An answer of which that share of tokens is shifted, and as much marginal."""
    n = int(rng.integers(30, 90))
    drawn = rng.random(n)
    ranks = np.where(drawn < shifted, 9, np.where(drawn < 2 * shifted, 2, 1)).tolist()
    return shift.TokenShift(
        id=f"{domain}/{place}",
        domain=domain,
        cluster=f"{domain}/{place}",
        tokens=[WORDS[i] for i in rng.integers(len(WORDS), size=n)],
        ranks=ranks,
        own_ranks=np.where(rng.random(n) < 0.98, 1, 2).tolist(),
        end_rank=1 if place % 2 else None,
        truncated=place % 2 == 0,
    )


def tables(models: list[str], seeds: list[int]) -> dict[str, list[dict]]:
    """Rows of token_shift.csv, token_shift_verdicts.csv and token_shift_tokens.csv."""
    found = {"token_shift": [], "token_shift_verdicts": [], "token_shift_tokens": []}
    rng = np.random.default_rng(3)
    for model in models:
        for seed in seeds:
            for (tuned, reference), by_domain in PAIRS.items():
                about = dict(model=model, seed=seed, tuned=tuned, reference=reference)
                rows = [
                    answer(rng, domain, place, shifted)
                    for domain, shifted in zip(("id", "ood"), by_domain, strict=True)
                    for place in range(PROMPTS)
                ]
                measured = shift.shift_measures(rows, **HOW)
                shares = [
                    one.estimate
                    for one in measured
                    if (one.position, one.metric) == (shift.ALL, shift.SHIFTED)
                ]
                change = mean(
                    rng.normal(0, 0.02, PROMPTS), [f"{n}" for n in range(PROMPTS)]
                ).estimate(**HOW)
                verdict = alignment.verdict_row(*shares, change, 0.05)
                found["token_shift"] += [about | one.row() for one in measured]
                found["token_shift_verdicts"].append(about | verdict)
                found["token_shift_tokens"] += [about | row for row in shift.top_tokens(rows)]
    return found
