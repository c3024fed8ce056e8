"""What steps of preference training cost: this trainer against TRL's.

An adapter on the embedded model in float32, with the model itself as the reference, on pairs as long
as those that methods build: prompts of some 60 to 120 tokens, answers of 10 to 60. TRL's is run as it
comes, which computes activations twice to save memory, and with activations kept. All three see the
same pairs in the same steps, and must find the same losses.
"""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

from measuring import ROOT, embedded_model
from training_steps import beside_trl, compared, ours, prepare

STEPS, BATCH = 2, 4
LEARNING_RATE, BETA, RANK = 5e-4, 0.1, 8


def _pairs(count: int) -> list[dict]:
    """A request after some answered questions; what follows is more of them, of other facts each."""
    from plumbline.data.facts import load_embedded

    source = random.Random(1)
    facts = list(load_embedded(ROOT / "workflow/resources/facts").questions)
    source.shuffle(facts)

    def answered(lowest: int, highest: int) -> list[str]:
        chosen = source.sample(facts, source.randint(lowest, highest))
        return [f"{fact.question} {fact.answers[0]}" for fact in chosen]

    return [
        {
            "prompt": "\n".join([*answered(5, 9), "And now you:"]),
            "chosen": "".join(f" {text}" for text in answered(1, 5)),
            "rejected": "".join(f" {text}" for text in answered(1, 5)),
        }
        for _ in range(count)
    ]


def measure(folder: Path, checkpoint: Path | None = None, steps: int = STEPS) -> list[dict]:
    """Rows of what `steps` steps cost, and pairs a processor second; writes into `folder`.

    checkpoint: None for the embedded model's.
    """
    from peft import LoraConfig
    from plumbline.config.training import Lora, Recipe
    from plumbline.records import Pair
    from plumbline.training.data import load_pairs
    from plumbline.training.trainers import dpo_trainer
    from trl import DPOConfig, DPOTrainer

    prepare()
    checkpoint = checkpoint or embedded_model()
    rows = _pairs(steps * BATCH)
    recipe = Recipe(
        method="dpo", learning_rate=LEARNING_RATE, epochs=1, dtype="float32", beta=BETA,
        global_batch_size=BATCH, micro_batch_size=BATCH,
        lora=Lora(rank=RANK, alpha=2 * RANK, dropout=0),
    )  # fmt: skip
    records = [Pair(id=f"p{n}", **one) for n, one in enumerate(rows)]
    config = partial(DPOConfig, learning_rate=LEARNING_RATE, beta=BETA)
    adapter = LoraConfig(
        r=RANK, lora_alpha=2 * RANK, lora_dropout=0, target_modules="all-linear", bias="none",
        task_type="CAUSAL_LM",
    )  # fmt: skip
    mine = ours(dpo_trainer, load_pairs, recipe, folder, checkpoint, records)
    trainers = beside_trl(
        mine, DPOTrainer, config, folder, checkpoint, rows, BATCH, peft_config=adapter
    )
    name = f"preference step, an adapter, {steps} steps of {BATCH} pairs"
    return compared(name, trainers, len(rows), "pairs")
