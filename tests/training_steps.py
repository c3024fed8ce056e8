"""What benchmarks of training share: trainers that take the same steps, and what those cost."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from measuring import Cost, check, cost_of, cost_rows, in_turn, row

CLOSE = 1e-4  # of a step's loss
THREADS = 1  # several that wait for each other would count as work
OURS = "plumbline"


def prepare() -> None:
    """To be called before a trainer is made."""
    import torch

    os.environ["ACCELERATE_USE_CPU"] = "true"
    torch.set_num_threads(THREADS)


def of_trl(kind, config, folder: Path, checkpoint: Path, rows: list[dict], batch: int, **more):
    """A trainer of TRL's on the CPU in float32. config: its configuration but for what all share."""
    from datasets import Dataset
    from plumbline.models import checkpoints

    return kind(
        model=checkpoints.load_model(checkpoint, "float32"),
        args=config(
            output_dir=str(folder / "trl"),
            per_device_train_batch_size=batch,
            num_train_epochs=1,
            lr_scheduler_type="constant",
            seed=1,
            data_seed=1,
            bf16=False,
            use_cpu=True,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=checkpoints.load_tokenizer(checkpoint),
        **more,
    )


def beside_trl(ours, kind, config, *theirs, **more) -> dict:
    """Our trainer, TRL's with activations kept, and TRL's as it comes; the rest as of `of_trl`."""
    kept = partial(config, gradient_checkpointing=False)
    return {
        OURS: ours,
        "TRL with activations kept": of_trl(kind, kept, *theirs, **more),
        "TRL as it comes": of_trl(kind, config, *theirs, **more),
    }


def ours(build: Callable, load: Callable, recipe, folder: Path, checkpoint: Path, rows: list):
    """The product's own trainer of a recipe, on rows that went through a file as they always do."""
    from plumbline.config.training import Training
    from plumbline.models import checkpoints
    from plumbline.storage.files import write_rows
    from transformers import PrinterCallback

    path, tokenizer = folder / "rows.jsonl", checkpoints.load_tokenizer(checkpoint)
    write_rows(path, rows)
    tokens, _ = load(path, tokenizer, recipe.max_length)
    micro = recipe.micro_batch_size
    where = {"parent": checkpoint, "seed": 1, "device": "cpu", "work": folder, "micro": micro}
    trainer = build(recipe, tokens, tokenizer, settings=Training(), **where)
    trainer.args.logging_strategy, trainer.args.logging_steps = "steps", 1
    trainer.args.save_strategy = "no"
    trainer.remove_callback(PrinterCallback)
    return trainer


def _trained(trainer) -> tuple[Cost, list[float]]:
    """What its steps cost, and their losses."""
    cost, _ = cost_of(trainer.train)
    return cost, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def _agree(found: dict[str, list[float]]) -> None:
    for name, losses in found.items():
        apart = max(abs(a - b) for a, b in zip(losses, found[OURS], strict=True))
        check(apart <= CLOSE, f"{name}: losses differ by {apart:.1e}: {found}")


def compared(benchmark: str, trainers: dict, rows: int, unit: str) -> list[dict]:
    """Rows of what an epoch of `rows` rows costs each trainer; each goes on from its last."""
    costs = in_turn({name: partial(_trained, one) for name, one in trainers.items()}, _agree)
    return cost_rows(benchmark, costs, OURS) + [
        row(
            benchmark,
            name,
            rows / median(cost.processor for cost in found),
            f"{unit} a processor s",
        )
        for name, found in costs.items()
    ]
