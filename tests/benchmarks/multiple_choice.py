"""What choices cost to score: this engine against the LM evaluation harness's hf backend.

The harness gets the same model in memory and its best batch size of several, tried once beforehand.
Items are made from the embedded facts: a bare question, and the same after a long beginning that all
of them share, TruthfulQA's six example pairs. Log-probabilities must be the same to rounding, and
the same choices the likeliest.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

from measuring import ROOT, Cost, check, cost_of, cost_rows, embedded_model, in_turn, row

ITEMS = 64
BATCHES = (1, 8, 32, 64)
STYLES = {"short prompts": "qa", "a long shared beginning": "truthfulqa"}
CLOSE = 1e-3  # nats, of sums in float32


def _questions(count: int) -> list:
    from plumbline.config.choices import ChoiceSource
    from plumbline.data.choices import load_choices
    from plumbline.data.facts import load_embedded

    facts = load_embedded(ROOT / "workflow/resources/facts").questions
    rows, _ = load_choices(ChoiceSource(format="facts", limit=16), None, facts, "id")
    return rows[:: len(rows) // count][:count]


def _best_batch(theirs) -> tuple[int, dict[int, Cost]]:
    tried = {size: cost_of(partial(theirs, size))[0] for size in BATCHES}
    return min(tried, key=lambda size: tried[size].processor), tried


def _agree(found: dict[str, list[list[float]]]) -> None:
    ours, theirs = found.values()
    pairs = list(zip(ours, theirs, strict=True))
    apart = max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))
    check(apart <= CLOSE, f"log-probabilities differ by {apart:.1e} nats")
    for one, other in pairs:
        best = max(one)
        check(best - one[other.index(max(other))] <= CLOSE, "another choice is the likeliest")


def measure(folder: Path, checkpoint: Path | None = None, count: int = ITEMS) -> list[dict]:
    """Rows for short and long prompts; nothing is written into `folder`.

    checkpoint: None for the embedded model's.
    """
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
    from plumbline.models import checkpoints
    from plumbline.scoring.likelihood import score
    from plumbline.scoring.prompts import encode, texts

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    checkpoint = checkpoint or embedded_model()
    model = checkpoints.load_model(checkpoint, "float32").eval()
    tokenizer = checkpoints.load_tokenizer(checkpoint)
    questions, rows = _questions(count), []
    for name, style in STYLES.items():
        pairs = [
            (question.id, prompt, choice)
            for question in questions
            for prompt, choices in [texts(question, style)]
            for choice in choices
        ]

        def ours(style: str = style) -> list[list[float]]:
            items = [encode(tokenizer, question, style) for question in questions]
            return score(model, items, 8192)

        def theirs(batch: int, pairs: list = pairs) -> list[list[float]]:
            backend = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch)
            asked = [
                Instance("loglikelihood", {}, (prompt, choice), number)
                for number, (_, prompt, choice) in enumerate(pairs)
            ]
            found: dict[str, list[float]] = {}
            for (own, _, _), (logprob, _) in zip(
                pairs, backend.loglikelihood(asked, disable_tqdm=True), strict=True
            ):
                found.setdefault(own, []).append(logprob)
            return list(found.values())

        batch, tried = _best_batch(theirs)
        benchmark = f"multiple choice, {len(questions)} questions, {name}"
        for size, cost in tried.items():
            variant = f"the harness, tried with batches of {size}"
            rows.append(row(benchmark, variant, cost.processor, "processor s"))
        variants = {"plumbline": ours, "the harness at its best": partial(theirs, batch)}
        costs = in_turn({one: partial(cost_of, run) for one, run in variants.items()}, _agree)
        rows += cost_rows(benchmark, costs, "plumbline")
    return rows
