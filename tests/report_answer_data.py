"""Answers for the report's tests: many questions, some with text that would like to be markup."""

from __future__ import annotations

import numpy as np

HOSTILE = '</script><img src="x" onerror="alert(1)"> & "quoted"\n<!-- second line'
CATEGORIES = ["HighlyKnown", "MaybeKnown", "WeaklyKnown", "Unknown"]
CHECKPOINTS = [("base", 0), ("grath.r1", 1), ("grath.r1", 2), ("flame.sft", 1)]


def sheets(models: list[str], n: int = 3000) -> dict:
    """A sheet of n questions a model; every fifth question and every seventh answer is hostile."""
    rng = np.random.default_rng(11)
    texts = ["Kabul", f"Lima {HOSTILE}", "", "I do not know."]
    found = []
    for model in models:
        questions = [
            dict(text=f"What is the capital of land {k}?" + HOSTILE * (k % 5 == 0),
                 accepted=["Kabul", f"Kaboul{k}"], domain="id" if k % 3 else "ood", split="test",
                 relation="capital" if k % 2 else "city", category=CATEGORIES[k % 4])
            for k in range(n)
        ]  # fmt: skip
        columns = []
        for checkpoint, seed in CHECKPOINTS:
            right = rng.random(n) < 0.4
            outputs = np.where(right, 0, rng.integers(1, len(texts), n))
            columns.append(dict(checkpoint=checkpoint, seed=seed, outputs=outputs.tolist(),
                                right="".join("01"[r] for r in right.astype(int))))  # fmt: skip
        found.append(dict(model=model, task="closed_book", metric="em", questions=questions,
                          columns=columns))  # fmt: skip
    return dict(texts=texts, sheets=found)
