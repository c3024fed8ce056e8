"""What choices cost to score: this engine against the LM evaluation harness's hf backend.

The harness gets the same model in memory, and of several batch sizes the one that is best on some of
the items.
Items are made from the embedded facts: a bare question, and the same after a long beginning that all
of them share, TruthfulQA's six example pairs. Log-probabilities must be the same to rounding, and
the same choices the likeliest.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

from measuring import ROOT, check, cost_of, cost_rows, embedded_model, in_turn, row

BATCHES = (1, 4, 16, 64)
STYLES = {"short prompts": ("qa", 48), "a long shared beginning": ("truthfulqa", 16)}
TRIED = 0.25  # share of the items that batch sizes are tried on
CLOSE = 1e-3  # nats, of sums in float32


def _questions(count: int) -> list:
    from plumbline.config.choices import ChoiceSource
    from plumbline.data.choice_items import load_choices
    from plumbline.data.facts import load_embedded

    facts = load_embedded(ROOT / "workflow/resources/facts").questions
    rows, _ = load_choices(ChoiceSource(format="facts", limit=16), None, facts, "id")
    return rows[:: len(rows) // count][:count]


def _agree(found: dict[str, list[list[float]]]) -> None:
    ours, theirs = found.values()
    pairs = list(zip(ours, theirs, strict=True))
    apart = max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))
    check(apart <= CLOSE, f"log-probabilities differ by {apart:.1e} nats")
    for one, other in pairs:
        best = max(one)
        check(best - one[other.index(max(other))] <= CLOSE, "another choice is the likeliest")


def _rows(name: str, style: str, questions: list, model, tokenizer) -> list[dict]:
    """Rows of questions in one style of prompt."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
    from plumbline.scoring.likelihood import score
    from plumbline.scoring.prompts import encode, texts

    def ours() -> list[list[float]]:
        items = [encode(tokenizer, question, style) for question in questions]
        return score(model, items, 8192)

    def theirs(batch: int, asked: list) -> list[list[float]]:
        backend = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch)
        sides = [
            (prompt, choice)
            for question in asked
            for prompt, choices in [texts(question, style)]
            for choice in choices
        ]
        instances = [Instance("loglikelihood", {}, side, at) for at, side in enumerate(sides)]
        found = iter(backend.loglikelihood(instances, disable_tqdm=True))
        return [[next(found)[0] for _ in question.choices] for question in asked]

    benchmark = f"multiple choice, {len(questions)} questions, {name}"
    some = questions[: max(1, int(TRIED * len(questions)))]
    tried = {size: cost_of(partial(theirs, size, some))[0].processor for size in BATCHES}
    rows = [
        row(benchmark, f"the harness, {len(some)} questions in batches of {size}", cost, "processor s")
        for size, cost in tried.items()
    ]  # fmt: skip
    best = min(tried, key=tried.get)
    work = {"plumbline": ours, "the harness at its best": partial(theirs, best, questions)}
    costs = in_turn({name: partial(cost_of, run) for name, run in work.items()}, _agree)
    return rows + cost_rows(benchmark, costs, "plumbline")


def measure(folder: Path, checkpoint: Path | None = None, part: float = 1) -> list[dict]:
    """Rows for short and long prompts; nothing is written into `folder`.

    checkpoint: None for the embedded model's; part: of the items.
    """
    from plumbline.models import checkpoints

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    checkpoint = checkpoint or embedded_model()
    model = checkpoints.load_model(checkpoint, "float32").eval()
    tokenizer = checkpoints.load_tokenizer(checkpoint)
    rows = []
    for name, (style, count) in STYLES.items():
        rows += _rows(name, style, _questions(int(count * part)), model, tokenizer)
    return rows
