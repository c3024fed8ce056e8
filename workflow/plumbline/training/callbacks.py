"""Callbacks for TRL's trainers: probes after epochs, checks after steps, complete saves."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from transformers import TrainerCallback

from plumbline.generation.engine import end_tokens
from plumbline.jobs.program import Progress
from plumbline.models import checkpoints
from plumbline.names import checkpoint_name
from plumbline.storage.files import InputError, read_json, write_json
from plumbline.training import options, processes
from plumbline.training.monitor import TOGETHER, FitLog, measure

log = logging.getLogger("plumbline")
WHOLE = "whole"  # a file in a trainer checkpoint, written after all others


class Savings(TrainerCallback):
    """Marks what the trainer has saved completely, and finds it again."""

    def __init__(self, run):
        self.run = run

    def on_save(self, args, state, control, **_):
        processes.wait()  # until each has written its part
        if processes.first():
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / WHOLE).touch()

    def last(self) -> Path | None:
        """The newest complete trainer checkpoint; broken ones are removed."""
        if processes.first():
            for folder in (self.run.work / "trainer").glob("checkpoint-*"):
                if not (folder / WHOLE).exists():
                    shutil.rmtree(folder)
        processes.wait()
        whole = sorted(
            (self.run.work / "trainer").glob("checkpoint-*"),
            key=lambda path: int(path.name.split("-")[1]),
        )
        if not whole:
            return None
        state = read_json(whole[-1] / "trainer_state.json")
        log.info(
            f"{self.run.name}: going on after step {state['global_step']} (epoch {state['epoch']:g})"
        )
        return whole[-1]


class Numbers(TrainerCallback):
    """Ends a training whose loss, gradient or weights are not numbers, before any of them are saved.

    Must be added before the callbacks that ask or save the model.
    """

    def __init__(self, run, trainer):
        self.run, self.trainer = run, trainer

    def on_log(self, args, state, control, logs=None, **_):
        for name in ("loss", "grad_norm"):
            self._check(name, (logs or {}).get(name, 0.0), state)

    def on_epoch_end(self, args, state, control, **_):
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        self._check("the norm of the weights", trainable_norm(model), state)

    def _check(self, name: str, value: float, state) -> None:
        if not math.isfinite(value):
            raise InputError(
                f"{self.run.name}: {name} is {value} at step {state.global_step}. Lower the recipe's "
                f"learning_rate, or set its dtype to float32 (it is {self.run.recipe.dtype})."
            )


def trainable_norm(model) -> float:
    """The sum of the norms of all trained weights, whatever process they are in."""
    norms = [p.detach().float().norm() for p in model.parameters() if p.requires_grad]
    # Of weights that processes share, each process has a part.
    return sum(float(n.full_tensor() if hasattr(n, "full_tensor") else n) for n in norms)


class Steps(TrainerCallback):
    """Says how many steps are done, and how long the others take with what is asked between them.

    To be added after the callbacks that ask the model before the first step.
    """

    def __init__(self):
        self.progress = None

    def on_train_begin(self, args, state, control, **_):
        self.progress = Progress(state.max_steps, "steps", done=state.global_step)

    def on_step_end(self, args, state, control, **_):
        self.progress.advance(1)


class Start(TrainerCallback):
    """The checks of the start of preference training.

    Before the first update, the policy is its own reference, so the sigmoid loss is exactly ln 2;
    anything else means a wrong reference (Rafailov et al. 2023, eq. 7). If the recipe has no
    dropout, the first training step must agree.
    """

    TOLERANCE = 0.01

    def __init__(self, run, trainer, starts_at_reference: bool):
        self.run, self.trainer = run, trainer
        self.starts_at_reference = starts_at_reference

    def on_train_begin(self, args, state, control, **_):
        if not self.starts_at_reference or state.global_step:
            return
        loss = self._first_loss()
        if not abs(loss - math.log(2)) <= self.TOLERANCE:
            raise InputError(
                f"{self.run.name}: the loss before the first update is {loss:.4f}, expected "
                f"ln 2 = {math.log(2):.4f}: the reference is not the checkpoint that is trained."
            )

    def on_log(self, args, state, control, logs=None, **_):
        if not logs or "loss" not in logs:
            return
        exact = self.starts_at_reference and self.run.recipe.dropout == 0
        if exact and state.global_step == 1:
            margin = logs["rewards/margins"]
            if not abs(margin) <= 2 * self.TOLERANCE:  # the loss changes by half as much
                raise InputError(
                    f"{self.run.name}: the margin before the first update is {margin:.4f}, expected "
                    f"0: in training the model is random even without dropout. It cannot be trained "
                    f"on preferences; take one of another architecture."
                )

    def _first_loss(self) -> float:
        """The loss of the first examples in evaluation mode, without a router's own loss."""
        import torch

        trainer, model = self.trainer, self.trainer.model
        rows = range(min(self.run.where["micro"], len(trainer.train_dataset)))
        batch = trainer.data_collator([trainer.train_dataset[row] for row in rows])
        routed, trainer.aux_loss_enabled = trainer.aux_loss_enabled, False
        model.eval()
        try:
            with torch.no_grad(), trainer.compute_loss_context_manager():
                return float(trainer.compute_loss(model, trainer._prepare_inputs(batch)))
        finally:
            model.train()
            trainer.aux_loss_enabled = routed


class Keeper(TrainerCallback):
    """Asks the probes after every epoch and keeps the weights that may become a stop.

    Candidates of earlier epochs are removed only once the trainer's own checkpoint is safely
    written, so that a run resumed from it still finds its best epoch.
    """

    def __init__(self, run, trainer, tokenizer, fits: FitLog):
        self.run, self.trainer, self.tokenizer, self.fits = run, trainer, tokenizer, fits

    def on_train_begin(self, args, state, control, **_):
        if not self.fits.rows:
            self.measure(epoch=0)

    def on_epoch_end(self, args, state, control, **_):
        epoch = round(state.epoch)
        self.measure(epoch)
        if epoch in (self.fits.best_epoch(), self.run.recipe.epochs):
            self._write_candidate(epoch)

    def on_save(self, args, state, control, **_):
        if not processes.first():
            return
        keep = {self.fits.best_epoch(), self.run.recipe.epochs}
        for candidate in self.run.out.glob(".candidate-*"):
            if int(candidate.name.rpartition("-")[2]) not in keep:
                shutil.rmtree(candidate)

    def measure(self, epoch: int) -> None:
        # Processes that share the weights must do every forward pass together.
        shared = self.trainer.is_fsdp_enabled
        if not self.run.probes or not (processes.first() or shared):
            return
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        model.eval()
        with options.any_attention(model), nullcontext() if shared else _merged(model):
            rows = measure(
                model,
                self.tokenizer,
                self.run.probes,
                epoch,
                end_token_ids=end_tokens(self.run.parent, self.tokenizer),
                sampling=self.run.sampling,
                match=self.run.match,
                together=TOGETHER[:1] if shared else TOGETHER,
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
        """Turn an epoch's candidate into a stop; two stops may be from one epoch."""
        target, fresh = self.run.out / stop, self.run.out / f".{stop}-new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(self._candidate(epoch), fresh)
        marker = read_json(fresh / checkpoints.MARKER)
        name = checkpoint_name(self.run.name, stop)
        write_json(fresh / checkpoints.MARKER, {**marker, "name": name})
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)

    def _candidate(self, epoch: int) -> Path:
        return self.run.out / f".candidate-{epoch}"

    def _write_candidate(self, epoch: int) -> None:
        write_checkpoint(
            self.run,
            self.trainer,
            self.tokenizer,
            self._candidate(epoch),
            self.run.name,
            epoch=epoch,
        )


@contextmanager
def _merged(model) -> Iterator[None]:
    """Adapters merged temporarily, which makes decoding token by token several times faster.

    They are merged in float32, since narrower weights would round the adapter away. The frozen
    weights are put back bit by bit, since subtracting what was added would round. An adapter on
    4-bit weights is left as it is: merging would round far more.
    """
    layers = checkpoints.adapted_layers(model)
    if any(not checkpoints.frozen(layer).is_floating_point() for layer in layers):
        yield
        return
    kept = [checkpoints.frozen(layer).detach().to("cpu", copy=True) for layer in layers]
    narrow = [
        (tensor, tensor.dtype)
        for tensor in (*model.parameters(), *model.buffers())
        if tensor.is_floating_point() and tensor.dtype.itemsize < 4
    ]
    for tensor, _ in narrow:
        tensor.data = tensor.data.float()
    for layer in layers:
        layer.merge()
    try:
        yield
    finally:
        for layer in layers:
            layer.unmerge()
        for tensor, dtype in narrow:
            tensor.data = tensor.data.to(dtype)
        for layer, weight in zip(layers, kept, strict=True):
            checkpoints.frozen(layer).data.copy_(weight)


def write_checkpoint(run, trainer, tokenizer, folder: Path, name: str, **facts) -> None:
    """The trained weights as a checkpoint folder: an adapter, or full weights.

    All processes must call this; the first one writes.
    """
    model = trainer.accelerator.unwrap_model(trainer.model)
    state = trainer.accelerator.get_state_dict(trainer.model) if trainer.is_fsdp_enabled else None
    if not processes.first():
        return
    common = {"name": name, "parent": run.parent, "tokenizer": tokenizer, **facts}
    if run.recipe.parameters != "full":
        checkpoints.write_adapter(
            folder, save=lambda path: model.save_pretrained(path, state_dict=state), **common
        )
    else:
        checkpoints.write_full(
            folder,
            save=lambda path: _save_full(model, path, state),
            dtype="float32",
            **common,
        )


def _save_full(model, folder: Path, state: dict | None) -> None:
    """In float32, as they were trained: a narrower type would round small changes away."""
    if state is None:
        state = model.state_dict()
    else:  # gathered from several processes, in which tied weights are separate copies
        state = {key: state[key] for key in state.keys() - model.all_tied_weights_keys.keys()}
    model.save_pretrained(folder, state_dict=state)
