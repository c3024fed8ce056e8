"""One training run through TRL: from a parent checkpoint to its stops, resumable on the way."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from transformers import PrinterCallback

from plumbline.config.training import Recipe, Training
from plumbline.jobs import effort
from plumbline.jobs.memory import first_that_fits
from plumbline.models import checkpoints
from plumbline.names import FINAL, checkpoint_name
from plumbline.records import Probe, Sampling
from plumbline.storage.files import InputError, read_json, sha256_file, sha256_json, write_json
from plumbline.texts.matching import Mode
from plumbline.training import processes, reference, trainers
from plumbline.training.callbacks import (
    Keeper,
    Numbers,
    Savings,
    Start,
    Steps,
    trainable_norm,
    write_checkpoint,
)
from plumbline.training.data import load_examples, load_pairs
from plumbline.training.monitor import FitLog

log = logging.getLogger("plumbline")
CHECKED = 4  # training texts on which an adapter is compared with its merge
# Values that TRL logs at every step of preference training, by the names used for them here.
CURVE = {
    "step": "step",
    "epoch": "epoch",
    "loss": "loss",
    "margin": "rewards/margins",
    "accuracy": "rewards/accuracies",
    "chosen": "rewards/chosen",
    "rejected": "rewards/rejected",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
}


@dataclass(frozen=True)
class TrainingRun:
    """What is trained, and where.

    examples: the training file, with rows for the recipe's trainer. reference: stored log-probabilities
    and their checkpoint; None: the parent's, recomputed. out: folder of the tuning; each stop becomes a
    folder in it. work: its scratch folder, which outlives a killed job and is removed at the end.
    micro: examples of a forward pass, if fewer than the recipe's. code: digest of the program.
    settings: devices and memory, which do not affect results.
    """

    name: str
    examples: Path
    parent: Path
    recipe: Recipe
    stops: tuple[str, ...]
    probes: list[Probe]
    sampling: Sampling
    match: Mode
    seed: int
    device: str
    out: Path
    work: Path
    reference: tuple[Path, Path] | None = None
    micro: int | None = None
    code: str = ""
    settings: Training = field(default_factory=Training)

    def identity(self) -> str:
        """Digest of everything that the result depends on; work of another identity is not reused."""
        return sha256_json(
            [
                sha256_file(self.examples),
                checkpoints.answers_digest(self.parent),
                self.recipe.model_dump(mode="json", exclude={"save_steps"}),
                [probe.model_dump(mode="json") for probe in self.probes],
                self.sampling.model_dump(mode="json"),
                self.match,
                list(self.stops),
                self.seed,
                sha256_file(self.reference[0]) if self.reference else None,
                self.code,
            ]
        )

    @property
    def where(self) -> dict:
        return {
            "parent": self.parent,
            "seed": self.seed,
            "device": self.device,
            "work": self.work,
            "settings": self.settings,
            "micro": self.micro or self.recipe.micro_batch_sizes(processes.count())[0],
        }


def train_within_memory(run: TrainingRun) -> dict:
    """Like `train` in one process, with smaller micro-batches if the recipe's do not fit.

    The global batch stays the same, since more of the smaller ones are accumulated. Also raises
    InputError when not even the smallest fits.
    """
    return first_that_fits(
        run.recipe.micro_batch_sizes(),
        lambda micro: train(replace(run, micro=micro)),
        f"{run.name}: micro_batch_size",
        processes.REMEDY,
    )


def train(run: TrainingRun) -> dict | None:
    """Train and write the stops; returns the content of `training.json`.

    If several processes train, only the first one writes and returns it; the others return None.

    stops: `final` and `convergence` are the end of training, `early_stop` the first epoch with the
    best dev accuracy (sft). Raises InputError when training changes nothing, starts from a wrong
    reference, or leaves adapters that do not merge.
    """
    processes.join(run.device)
    if processes.first():
        _claim(run)
    processes.wait()
    tokenizer = checkpoints.load_tokenizer(run.parent)
    savings = Savings(run)
    train_on = {"examples": _supervised, "pairs": _by_preference}[run.recipe.trainer.rows]
    trainer, stops, about, texts = train_on(run, tokenizer, savings)
    processes.wait()
    processes.leave()
    if not processes.first():
        return None
    for stop, entry in stops.items():
        description = checkpoints.describe(run.out / stop)
        entry["weights_sha256"] = description["weights_sha256"]
        if description["kind"] == "adapter":
            entry["merge_difference"] = checkpoints.check_merge(run.out / stop, texts)
        entry["rounding_cosine"] = checkpoints.note_rounding(run.out / stop)
        left = ", ".join(f"{part:.2f} of {name}" for name, part in entry["rounding_cosine"].items())
        log.info(f"{run.name}, {stop}: cosine of its change with that rounded, {left}")
    log.info(f"{run.name}: " + ", ".join(f"{s} at epoch {v['epoch']:g}" for s, v in stops.items()))
    return {
        "name": run.name,
        "stops": stops,
        "steps": trainer.state.global_step,
        "recipe": run.recipe.model_dump(mode="json"),
        "seed": run.seed,
        "processes": processes.count(),
        "micro_batch_size": run.where["micro"],
        **about,
    }


def clean_up(run: TrainingRun) -> None:
    """Remove what only a killed run would need; called once the results are written."""
    shutil.rmtree(run.work, ignore_errors=True)
    for candidate in run.out.glob(".candidate-*"):
        shutil.rmtree(candidate, ignore_errors=True)


def _claim(run: TrainingRun) -> None:
    """Make the scratch folder this run's own; earlier work of another identity is deleted."""
    note = run.work / "identity.json"
    if note.exists() and read_json(note).get("identity") == run.identity():
        return
    clean_up(run)
    run.work.mkdir(parents=True)
    write_json(note, {"identity": run.identity()})


def _supervised(run: TrainingRun, tokenizer, savings: Savings) -> tuple:
    rows, dropped = load_examples(run.examples, tokenizer, run.recipe.max_length)
    trainer = _build(run, rows, tokenizer)
    fits = FitLog(run.work / "fit.jsonl")
    keeper = Keeper(run, trainer, tokenizer, fits)
    trainer.add_callback(Numbers(run, trainer))
    trainer.add_callback(savings)
    trainer.add_callback(keeper)
    trainer.add_callback(Steps())
    resumed = savings.last()
    fits.keep_until(round(_epoch_of(resumed)))
    _fit(run, trainer, resumed)
    last = run.recipe.epochs
    epochs = {FINAL: last, "convergence": last, "early_stop": fits.best_epoch()}
    for stop in run.stops if processes.first() else ():
        keeper.promote(epochs[stop], stop)
    loss = [
        {"epoch": round(row["epoch"], 4), "loss": row["loss"]}
        for row in trainer.state.log_history
        if "loss" in row
    ]
    about = {"examples": len(rows), "dropped": dropped, "loss": loss}
    texts = [row["input_ids"] for row in rows[:CHECKED]]
    return trainer, {stop: {"epoch": epochs[stop]} for stop in run.stops}, about, texts


def _by_preference(run: TrainingRun, tokenizer, savings: Savings) -> tuple:
    recipe = run.recipe
    pairs, dropped = load_pairs(run.examples, tokenizer, recipe.max_length)
    stored = {"references": reference.load(*run.reference, pairs)} if run.reference else {}
    trainer = _build(run, pairs, tokenizer, **stored)
    own_reference = run.reference is None or run.reference[1].resolve() == run.parent.resolve()
    at_ln_2 = own_reference and recipe.starts_at_ln_2
    trainer.add_callback(Numbers(run, trainer))
    trainer.add_callback(savings)
    trainer.add_callback(Start(run, trainer, starts_at_reference=at_ln_2))
    trainer.add_callback(Steps())
    _fit(run, trainer, savings.last())
    epoch = round(trainer.state.epoch, 4)
    for stop in run.stops:
        name = checkpoint_name(run.name, stop)
        if processes.first():
            shutil.rmtree(run.out / stop, ignore_errors=True)
        write_checkpoint(run, trainer, tokenizer, run.out / stop, name, epoch=epoch)
    curve = [
        {name: row[key] for name, key in CURVE.items() if key in row}
        for row in trainer.state.log_history
        if "loss" in row
    ]
    about = {"examples": len(pairs), "dropped": dropped, "curve": curve}
    texts = [pair.prompt_ids + pair.chosen_ids for pair in pairs[:CHECKED]]
    return trainer, {stop: {"epoch": epoch} for stop in run.stops}, about, texts


def _build(run: TrainingRun, rows: list, tokenizer, **more):
    """The trainer that the recipe names."""
    build = getattr(trainers, run.recipe.trainer.build)
    return build(run.recipe, rows, tokenizer, **more, **run.where)


def _fit(run: TrainingRun, trainer, resumed: Path | None) -> None:
    """Train from the beginning or from what was saved. InputError when no weight changes."""
    trainer.remove_callback(PrinterCallback)  # the callbacks here log what matters
    together = run.where["micro"] * processes.count()
    if processes.count() > 1 and (rest := len(trainer.train_dataset) % together):
        log.info(
            f"{run.name}: {together - rest} examples occur twice in each epoch's last step, so that "
            f"all {processes.count()} processes have equally many"
        )
    before = trainable_norm(trainer.accelerator.unwrap_model(trainer.model))
    with effort.passes():
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    after = trainable_norm(trainer.accelerator.unwrap_model(trainer.model))
    if resumed is None and after == before:
        raise InputError(f"{run.name}: training changed no weight; check the learning rate.")


def _epoch_of(checkpoint: Path | None) -> float:
    return read_json(checkpoint / "trainer_state.json")["epoch"] if checkpoint else 0
