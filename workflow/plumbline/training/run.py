"""One training run through TRL: from a parent checkpoint to its stops, resumable at every epoch."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transformers import TrainerCallback

from plumbline import checkpoints
from plumbline.config.training import Recipe
from plumbline.files import InputError, read_json, sha256_file, sha256_json, write_json
from plumbline.generation.engine import end_tokens
from plumbline.matching import Mode
from plumbline.records import Probe, Sampling
from plumbline.training.data import load_examples
from plumbline.training.monitor import FitLog, measure

log = logging.getLogger("plumbline")
WHOLE = "whole"  # a file in a trainer checkpoint, written once all the others are


@dataclass(frozen=True)
class Run:
    """What is trained, and where.

    out: folder of the tuning; each stop becomes a folder in it. work: its scratch folder, which
    outlives a killed job and is removed at the end.
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

    def identity(self) -> str:
        """Digest of everything the result depends on; work of another identity is not reused."""
        return sha256_json(
            [
                sha256_file(self.examples),
                checkpoints.describe(self.parent)["weights_sha256"],
                self.recipe.model_dump(mode="json"),
                [probe.model_dump(mode="json") for probe in self.probes],
                self.sampling.model_dump(mode="json"),
                self.match,
                list(self.stops),
                self.seed,
            ]
        )


def train(run: Run) -> dict:
    """Train and write the stops; returns the content of `training.json`.

    stops: `convergence` is the last epoch, `early_stop` the first with the best dev accuracy.
    """
    _claim(run)
    tokenizer = checkpoints.load_tokenizer(run.parent)
    rows, dropped = load_examples(run.examples, tokenizer, run.recipe.max_length)
    trainer = _trainer(run, rows, tokenizer)
    _check_end_token(trainer, tokenizer)
    fits = FitLog(run.work / "fit.jsonl")
    keeper = _Keeper(run, trainer, tokenizer, fits)
    trainer.add_callback(keeper)
    resumed = _last_whole_checkpoint(run)
    fits.keep_until(_epoch_of(resumed))
    if not fits.rows:
        keeper.measure(epoch=0)
    before = trainer.accelerator.unwrap_model(trainer.model)
    norm_before = _trainable_norm(before)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    if resumed is None and _trainable_norm(before) == norm_before:
        raise InputError(f"{run.name}: training changed no weight; check the learning rate.")
    epochs = {"convergence": run.recipe.epochs, "early_stop": fits.best_epoch()}
    stops = {}
    for stop in run.stops:
        keeper.promote(epochs[stop], stop)
        about = checkpoints.describe(run.out / stop)
        stops[stop] = {"epoch": epochs[stop], "weights_sha256": about["weights_sha256"]}
    log.info(f"{run.name}: " + ", ".join(f"{s} at epoch {v['epoch']}" for s, v in stops.items()))
    return {
        "name": run.name,
        "stops": stops,
        "examples": len(rows),
        "dropped": dropped,
        "steps": trainer.state.global_step,
        "loss": [
            {"epoch": round(row["epoch"], 4), "loss": row["loss"]}
            for row in trainer.state.log_history
            if "loss" in row
        ],
        "recipe": run.recipe.model_dump(mode="json"),
        "seed": run.seed,
    }


def clean_up(run: Run) -> None:
    """Remove what only a killed run would need; call it once the results are written."""
    shutil.rmtree(run.work, ignore_errors=True)
    for candidate in run.out.glob(".candidate-*"):
        shutil.rmtree(candidate, ignore_errors=True)


def _claim(run: Run) -> None:
    """Make the scratch folder this run's own; earlier work of another identity is thrown away."""
    note = run.work / "identity.json"
    if note.exists() and read_json(note).get("identity") == run.identity():
        return
    clean_up(run)
    run.work.mkdir(parents=True)
    write_json(note, {"identity": run.identity()})


def _trainer(run: Run, rows: list[dict], tokenizer):
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    recipe = run.recipe
    lora = recipe.parameters == "lora"
    # Full training needs float32 weights: updates are smaller than bfloat16 can add up.
    model = checkpoints.load_model(run.parent, recipe.dtype if lora else "float32")
    _set_dropout(model, recipe.dropout)
    micro = min(recipe.micro_batch_size, recipe.global_batch_size)
    config = SFTConfig(
        output_dir=str(run.work / "trainer"),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=recipe.global_batch_size // micro,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.scheduler if not recipe.warmup_steps else _with_warmup(recipe),
        warmup_steps=recipe.warmup_steps,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        seed=run.seed,
        data_seed=run.seed,
        bf16=recipe.dtype == "bfloat16" and not lora,
        fp16=False,
        use_cpu=run.device == "cpu",
        gradient_checkpointing=False,
        max_length=None,  # what is too long was left out and counted before
        packing=False,
        completion_only_loss=True,
        dataloader_pin_memory=False,
        dataset_num_proc=None,
        logging_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
    )
    adapter = LoraConfig(
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=recipe.lora.target_modules,
        bias="none",
        task_type="CAUSAL_LM",
    )
    return SFTTrainer(
        model=model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=adapter if lora else None,
    )


def _set_dropout(model, rate: float) -> None:
    """Llama and its like keep the rate in their attention, older models have dropout layers."""
    from torch.nn import Dropout

    for module in model.modules():
        if isinstance(module, Dropout):
            module.p = rate
        elif hasattr(module, "attention_dropout"):
            module.attention_dropout = rate


def _with_warmup(recipe: Recipe) -> str:
    return "constant_with_warmup" if recipe.scheduler == "constant" else recipe.scheduler


def _check_end_token(trainer, tokenizer) -> None:
    """A model that never sees the end of an answer never ends one."""
    for row in trainer.train_dataset:
        if tokenizer.eos_token_id not in row["input_ids"][-2:]:
            raise InputError(
                f"a training example does not end in {tokenizer.eos_token!r}; the tokenizer's chat "
                f"template and its end token do not fit together."
            )


def _trainable_norm(model) -> float:
    return sum(float(p.detach().float().norm()) for p in model.parameters() if p.requires_grad)


def _epoch_of(checkpoint: Path | None) -> int:
    return round(read_json(checkpoint / "trainer_state.json")["epoch"]) if checkpoint else 0


def _last_whole_checkpoint(run: Run) -> Path | None:
    """The newest trainer checkpoint that was completely written; broken ones are removed."""
    found = sorted(
        (run.work / "trainer").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])
    )
    for folder in found:
        if not (folder / WHOLE).exists():
            shutil.rmtree(folder)
    whole = [folder for folder in found if folder.exists()]
    if whole:
        log.info(f"{run.name}: going on after epoch {_epoch_of(whole[-1])}")
    return whole[-1] if whole else None


class _Keeper(TrainerCallback):
    """Asks the probes after every epoch and keeps the weights that may become a stop.

    Candidates of earlier epochs go only once the trainer's own checkpoint is safely written, so
    that a run resumed from it still finds its best epoch.
    """

    def __init__(self, run: Run, trainer, tokenizer, fits: FitLog):
        self.run, self.trainer, self.tokenizer, self.fits = run, trainer, tokenizer, fits

    def on_epoch_end(self, args, state, control, **_):
        epoch = round(state.epoch)
        self.measure(epoch)
        if epoch in (self.fits.best_epoch(), self.run.recipe.epochs):
            self._write_candidate(epoch)

    def on_save(self, args, state, control, **_):
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (folder / WHOLE).touch()
        keep = {self.fits.best_epoch(), self.run.recipe.epochs}
        for candidate in self.run.out.glob(".candidate-*"):
            if int(candidate.name.rpartition("-")[2]) not in keep:
                shutil.rmtree(candidate)

    def measure(self, epoch: int) -> None:
        if not self.run.probes:
            return
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        model.eval()
        with _merged(model):
            rows = measure(
                model,
                self.tokenizer,
                self.run.probes,
                epoch,
                end_token_ids=end_tokens(self.run.parent, self.tokenizer),
                sampling=self.run.sampling,
                match=self.run.match,
            )
        model.train()
        self.fits.add(rows)
        shares = {
            part: sum(r.correct for r in rows if r.part == part)
            / max(1, sum(r.n for r in rows if r.part == part))
            for part in ("train", "dev", "test")
        }
        log.info(
            f"{self.run.name}: epoch {epoch}/{self.run.recipe.epochs}, right answers: "
            + ", ".join(f"{part} {share:.0%}" for part, share in shares.items())
        )

    def promote(self, epoch: int, stop: str) -> None:
        """The candidate of an epoch becomes a stop; two stops may be of one epoch."""
        target, fresh = self.run.out / stop, self.run.out / f".{stop}-new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(self._candidate(epoch), fresh)
        about = read_json(fresh / checkpoints.MARKER)
        write_json(fresh / checkpoints.MARKER, {**about, "name": f"{self.run.name}.{stop}"})
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)

    def _candidate(self, epoch: int) -> Path:
        return self.run.out / f".candidate-{epoch}"

    def _write_candidate(self, epoch: int) -> None:
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        common = {"name": self.run.name, "parent": self.run.parent, "tokenizer": self.tokenizer}
        folder = self._candidate(epoch)
        if self.run.recipe.parameters == "lora":
            checkpoints.write_adapter(folder, save=model.save_pretrained, epoch=epoch, **common)
        else:
            checkpoints.write_full(
                folder,
                save=lambda path: _save_full(model, path, self.run.recipe.dtype),
                epoch=epoch,
                dtype=self.run.recipe.dtype,
                **common,
            )


@contextmanager
def _merged(model) -> Iterator[None]:
    """Adapters merged for the time being: decoding token by token is several times faster so.

    The frozen weights are put back bit by bit, since subtracting what was added would round.
    """
    layers = [m for m in model.modules() if hasattr(m, "merge") and hasattr(m, "lora_A")]
    kept = [layer.get_base_layer().weight.detach().to("cpu", copy=True) for layer in layers]
    for layer in layers:
        layer.merge()
    try:
        yield
    finally:
        for layer, weight in zip(layers, kept, strict=True):
            layer.unmerge()
            layer.get_base_layer().weight.data.copy_(weight)


def _save_full(model, folder: Path, dtype: str) -> None:
    import torch

    state = {key: value.to(getattr(torch, dtype)) for key, value in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=state)
