"""Trainers: the losses of a CPU in float32, what a step costs, and what happens out of memory."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median

from card import Card, Lab, LeftOut, Row, Sizes
from measuring import check

CLOSE = 1e-3  # of a loss in float32
ALIKE = 0.02  # of a first loss in bfloat16, by other kernels
BY_PREFERENCE = {"method": "dpo", "beta": 0.1}
FEW = Sizes(prompts=0, answer=0, rows=2, length=48, steps=3)  # what a CPU does in seconds
MANY, LONG = 32, 200  # examples of a forward pass that are not to fit, and characters of each


@dataclass(frozen=True)
class Variant:
    """A way to train: keys of its recipe, and of the section `training`."""

    name: str
    recipe: dict
    settings: dict = field(default_factory=dict)
    gpu: bool = False


VARIANTS = (
    Variant("SFT, lora", {"parameters": "lora"}),
    Variant("SFT, full", {"parameters": "full"}),
    Variant("DPO, lora", {"parameters": "lora", **BY_PREFERENCE}),
    Variant("KTO, lora", {"parameters": "lora", "method": "kto"}),
    Variant(
        "SFT, full, activations computed twice",
        {"parameters": "full"},
        {"gradient_checkpointing": True},
    ),
    Variant("SFT, qlora", {"parameters": "qlora"}, gpu=True),
    Variant(
        "SFT, full, AdamW in 8 bits", {"parameters": "full", "optimizer": "adamw_8bit"}, gpu=True
    ),
    Variant("SFT, full, paged AdamW", {"parameters": "full"}, {"paged_optimizer": True}, gpu=True),
    Variant(
        "SFT, full, flash attention",
        {"parameters": "full"},
        {"attention": "flash_attention_2"},
        gpu=True,
    ),
    Variant("SFT, full, Liger's kernels", {"parameters": "full"}, {"liger": True}, gpu=True),
)


@dataclass(frozen=True)
class Steps:
    """What a variant's steps came to; seconds: of one, without the first one."""

    losses: list[float]
    seconds: float
    tokens: int
    flop: float
    gib: float | None


def steps(lab: Lab, card: Card, variant: Variant, sizes: Sizes, dtype: str = "bfloat16") -> Steps:
    """Train for some steps. LeftOut where the device or a package of the variant is not there."""
    from plumbline.config.training import Recipe, Training
    from plumbline.storage.files import InputError
    from plumbline.training import options, trainers
    from transformers import PrinterCallback, TrainerCallback

    if variant.gpu and card.device != "cuda":
        raise LeftOut("needs a GPU")
    recipe = Recipe(**{
        "learning_rate": 1e-5, "epochs": 1, "global_batch_size": sizes.rows, "dtype": dtype,
        "micro_batch_size": sizes.rows, "lora": {"dropout": 0}, **variant.recipe,
    })  # fmt: skip
    settings = Training(**{"gradient_checkpointing": False, **variant.settings})
    try:
        options.check(recipe, settings)
    except InputError as error:
        raise LeftOut(str(error)) from error
    rows, tokens = _rows(lab, recipe, sizes)
    where = {
        "parent": lab.checkpoint, "seed": 1, "device": card.device, "micro": sizes.rows,
        "work": lab.work / "steps", "settings": settings,
    }  # fmt: skip
    build = getattr(trainers, recipe.trainer.build)
    trainer = build(recipe, rows, lab.tokenizer, **where)
    trainer.args.logging_strategy, trainer.args.logging_steps = "steps", 1
    trainer.args.save_strategy = "no"
    trainer.remove_callback(PrinterCallback)
    ends: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_, **__):
            card.settle()
            ends.append(time.perf_counter())

    trainer.add_callback(Clock())
    _, _, gib = card.measured(trainer.train)
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    seconds = median(b - a for a, b in pairwise(ends))
    return Steps(losses, seconds, tokens, _flop(trainer.model, recipe, tokens), gib)


def _rows(lab: Lab, recipe, sizes: Sizes) -> tuple[list, int]:
    """Random tokens, as the recipe's trainer takes them, and how many of them a step has to read.

    Three quarters of a row are its prompt, which both answers of a pair share. KTO takes pairs
    apart, and reads half as many.
    """
    from plumbline.training.data import IGNORED, TokenPair

    draw, words = random.Random(1), len(lab.tokenizer)
    prompt, answer = 3 * sizes.length // 4, sizes.length // 4

    def ids(count: int) -> list[int]:
        return [draw.randrange(words) for _ in range(count)]

    count = sizes.rows * sizes.steps
    if recipe.trainer.rows == "pairs":
        kto = recipe.method == "kto"
        pairs = [
            TokenPair(str(n), ids(prompt), ids(answer), ids(answer))
            for n in range(count // 2 if kto else count)
        ]
        return pairs, sizes.rows * (prompt + (1 if kto else 2) * answer)
    rows = [ids(sizes.length) for _ in range(count)]
    labels = [[IGNORED] * prompt + row[prompt:] for row in rows]
    made = [{"input_ids": r, "labels": x} for r, x in zip(rows, labels, strict=True)]
    return made, sizes.rows * sizes.length


def _flop(model, recipe, tokens: int) -> float:
    """FLOP that a step needs: for a weight and a token 2 forward, 2 back, and 2 for its gradient.

    Attention's products, and the head where nothing is predicted, are not told apart; what is
    computed a second time to save memory does not count.
    """
    trained = 6 if recipe.parameters == "full" else 4
    reference = 2 if recipe.trainer.reference else 0
    return (trained + reference) * model.num_parameters() * tokens


def like_a_cpu(lab: Lab) -> Iterator[Row]:
    """The first losses of small steps in float32."""
    for variant in VARIANTS[:4]:
        ours, theirs = (
            steps(lab, card, variant, FEW, "float32").losses for card in (lab.card, Card("cpu"))
        )
        apart = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
        check(apart <= CLOSE, f"{variant.name}: losses {ours}; on a CPU {theirs}")
        yield Row(f"{variant.name}, float32", "ok", note=f"losses to {apart:.1g} as on a CPU")


@cache
def _first_loss(lab: Lab) -> float:
    return steps(lab, lab.card, VARIANTS[1], lab.sizes).losses[0]


def of(variant: Variant) -> Callable[[Lab], Iterator[Row]]:
    """The check of what a variant's steps cost, in bfloat16."""

    def work(lab: Lab) -> Iterator[Row]:
        found = steps(lab, lab.card, variant, lab.sizes)
        if variant.recipe == {"parameters": "full"} and variant.settings:
            plain = _first_loss(lab)
            apart = abs(found.losses[0] - plain) / plain
            check(apart <= ALIKE, f"first loss {found.losses[0]:.4f}, without it {plain:.4f}")
        peak = lab.card.peak
        utilisation = found.flop / found.seconds / peak if peak else None
        rate = found.tokens / found.seconds
        note = f"losses {found.losses[0]:.3f} to {found.losses[-1]:.3f}"
        yield Row(variant.name, "ok", found.seconds, found.gib, rate, utilisation, note)

    return work


def tuned(lab: Lab) -> Path:
    """The folder of the checkpoint that `out_of_memory` leaves."""
    return lab.work / "tuned" / "final"


def out_of_memory(lab: Lab) -> Iterator[Row]:
    """A whole training whose forward passes do not fit, tried again with smaller ones."""
    from plumbline.config.training import Recipe
    from plumbline.records import Example, Sampling
    from plumbline.storage.files import write_rows
    from plumbline.training.run import TrainingRun, train_within_memory

    path = lab.work / "examples.jsonl"
    texts = [f"{n} {'and so on ' * (LONG // 10)}".strip() for n in range(MANY)]
    write_rows(path, [Example(id=t, prompt=t, completion=f"{t} again") for t in texts])
    run = TrainingRun(
        name="grath.r1", examples=path, parent=lab.checkpoint, stops=("final",), probes=[],
        recipe=Recipe(
            learning_rate=3e-3, epochs=4, global_batch_size=MANY, micro_batch_size=MANY,
            max_length=1024, dtype="float32", lora={"dropout": 0},
        ),
        sampling=Sampling(max_tokens=1), match="squad", seed=1, device=lab.card.device,
        out=lab.work / "tuned", work=lab.work / "training",
    )  # fmt: skip
    with _too_little(lab):
        summary, seconds, gib = lab.card.measured(lambda: train_within_memory(run))
    taken = summary["micro_batch_size"]
    check(taken < MANY, f"{MANY} examples at once were to be too many, and fitted")
    note = f"{MANY} at once did not fit, {taken} did; global batch still {MANY}"
    yield Row("out of memory, tried again", "ok", seconds, gib, note=note)


def _too_little(lab: Lab) -> AbstractContextManager[None]:
    return _allowance(lab) if lab.card.device == "cuda" else _pretended()


@contextmanager
def _allowance(lab: Lab) -> Iterator[None]:
    """On a GPU: this process may have what the weights take and a GiB beside them."""
    import torch
    from plumbline.models.checkpoints import load_model

    weights = 4 * load_model(lab.checkpoint, "float32").num_parameters()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((weights + 2**30) / whole)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


@contextmanager
def _pretended() -> Iterator[None]:
    """On a CPU, which would take from other processes: more than four examples do not fit."""
    from transformers import Trainer

    real = Trainer.training_step

    def step(self, model, inputs, *rest, **named):
        if len(inputs["input_ids"]) > 4:
            raise MemoryError("no room")
        return real(self, model, inputs, *rest, **named)

    Trainer.training_step = step
    try:
        yield
    finally:
        Trainer.training_step = real
