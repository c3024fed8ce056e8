"""What steps of supervised fine-tuning on short answers cost: this trainer against TRL's.

All parameters of the embedded model, in float32, on questions and answers of the embedded facts.
TRL's is run as it comes, which computes activations twice to save memory, and with activations kept.
All three see the same examples in the same steps, and must find the same losses.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from measuring import ROOT, embedded_model
from training_steps import beside_trl, compared, ours, prepare

RELATIONS = ("country_capital", "city_country", "us_city_state", "element_symbol")
STEPS, BATCH = 3, 16
LEARNING_RATE = 3e-5


def _examples(count: int) -> list[dict]:
    """Questions and answers, evenly from the relations' tables."""
    from plumbline.data.facts import load_embedded

    facts = load_embedded(ROOT / "workflow/resources/facts").questions
    facts = [fact for fact in facts if fact.relation in RELATIONS]
    return [
        {"prompt": f"{fact.question}\n", "completion": fact.answers[0]}
        for fact in facts[:: len(facts) // count][:count]
    ]


def measure(folder: Path, checkpoint: Path | None = None, steps: int = STEPS) -> list[dict]:
    """Rows of what `steps` steps cost, and examples a processor second; writes into `folder`.

    checkpoint: None for the embedded model's.
    """
    from plumbline.config.training import Recipe
    from plumbline.records import Example
    from plumbline.training.data import load_examples
    from plumbline.training.trainers import sft_trainer
    from trl import SFTConfig, SFTTrainer

    prepare()
    checkpoint = checkpoint or embedded_model()
    rows = _examples(steps * BATCH)
    recipe = Recipe(
        method="sft", parameters="full", learning_rate=LEARNING_RATE, epochs=1, dtype="float32",
        global_batch_size=BATCH, micro_batch_size=BATCH,
    )  # fmt: skip
    records = [Example(id=f"e{n}", **one) for n, one in enumerate(rows)]
    config = partial(SFTConfig, learning_rate=LEARNING_RATE)
    mine = ours(sft_trainer, load_examples, recipe, folder, checkpoint, records)
    trainers = beside_trl(mine, SFTTrainer, config, folder, checkpoint, rows, BATCH)
    name = f"sft step, all parameters, {steps} steps of {BATCH} short answers"
    return compared(name, trainers, len(rows), "examples")
