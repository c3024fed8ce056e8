"""Recipes: how a checkpoint is trained from its parent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from plumbline.config.base import Dtype, Section
from plumbline.config.trainers import PAIRED_LOSSES, TRAINERS, Trainer, reading

PairedLoss = Literal[*PAIRED_LOSSES]
LARGE = 10**9  # weights from which gradient_checkpointing: auto is on
TRACKERS = ("trackio", "wandb", "tensorboard")


class Training(Section):
    """Devices and memory of a training. These settings change results only by rounding."""

    processes: int = Field(
        1,
        ge=1,
        description="Processes that train one checkpoint together, each on a GPU of its own; they "
        "divide the recipe's global_batch_size among them.",
    )
    strategy: Literal["ddp", "zero2", "fsdp"] = Field(
        "ddp",
        description="ddp: every process has the whole model; zero2: processes share gradients and "
        "optimizer states, and each has all weights during a step; fsdp: they share the weights too, "
        "for models too large for one GPU (both need device: cuda).",
    )
    cpu_offload: bool = Field(
        False,
        description="fsdp, zero2: keep shared weights, gradients and optimizer states in main memory, "
        "and run the optimizer there; slow.",
    )
    gradient_checkpointing: Literal["auto"] | bool = Field(
        "auto",
        description="Keep only each layer's input and recompute the rest in the backward pass: a "
        "third slower, in far less memory; auto: on from a billion weights.",
    )
    attention: Literal["sdpa", "flash_attention_2"] = Field(
        "sdpa",
        description="sdpa: torch's; flash_attention_2: from the package flash_attn, in 16-bit "
        "precision (device: cuda).",
    )
    liger: bool = Field(
        False,
        description="Fused kernels for norms, positions and MLPs, from the package liger_kernel "
        "(device: cuda).",
    )
    paged_optimizer: bool = Field(
        False,
        description="Move optimizer states to main memory when the GPU is full, with the package "
        "bitsandbytes (device: cuda, strategy: ddp).",
    )
    report_to: Literal["none", *TRACKERS] = Field(
        "none",
        description="Where to show a training's curves besides its training.json, with the package of "
        "that name; in wandb and trackio, the project is called plumbline.",
    )

    @property
    def shares(self) -> bool:
        """Whether each process has only a part of the model."""
        return self.strategy != "ddp"

    @model_validator(mode="after")
    def _shared(self):
        if self.shares and self.processes == 1:
            raise ValueError(
                f"strategy: {self.strategy} shares a model among processes; set processes above 1"
            )
        if self.cpu_offload and not self.shares:
            raise ValueError("cpu_offload: needs strategy: fsdp or zero2")
        if self.paged_optimizer and self.shares:
            raise ValueError(
                f"paged_optimizer: bitsandbytes does not support shared weights; set strategy: ddp, "
                f"or cpu_offload with strategy: {self.strategy}"
            )
        return self


class FixedReference(Section):
    fixed: str = Field(description="The checkpoint, e.g. base.")


class Lora(Section):
    rank: int = Field(16, ge=1, description="Rank of the adapter, r.")
    alpha: float = Field(32, gt=0, description="Scale is alpha / rank.")
    dropout: float = Field(0.05, ge=0, lt=1, description="Dropout on the adapter's input.")
    target_modules: Literal["all-linear"] | Annotated[list[str], Field(min_length=1)] = Field(
        "all-linear", description="Layers that get an adapter."
    )


class Recipe(Section):
    """How a checkpoint is trained from its parent."""

    method: Literal[*TRAINERS] = Field(
        "sft",
        description="; ".join(f"{name}: {row.description}" for name, row in TRAINERS.items()) + ".",
    )
    parameters: Literal["lora", "qlora", "full"] = Field(
        "lora",
        description="What is trained: an adapter (lora), an adapter on a 4-bit model (qlora, device: "
        "cuda), or all parameters (full).",
    )
    optimizer: Literal["adamw", "adamw_8bit"] = Field(
        "adamw",
        description="adamw: torch's fused AdamW, with states in the weights' precision; adamw_8bit: "
        "8-bit states, with the package bitsandbytes (device: cuda).",
    )
    learning_rate: float = Field(gt=0, lt=1, description="Peak learning rate (AdamW).")
    epochs: int | None = Field(
        None, ge=1, description="Passes over the training file; give this or max_steps."
    )
    max_steps: int | None = Field(
        None, ge=1, description="Optimizer steps (dpo, kto); give this or epochs."
    )
    global_batch_size: int = Field(ge=1, description="Examples per step, over all devices.")
    micro_batch_size: int = Field(8, ge=1, description="Examples per forward pass on a device.")
    scheduler: Literal["constant", "linear", "cosine"] = Field(
        "constant", description="Schedule of the learning rate."
    )
    warmup_steps: int = Field(0, ge=0, description="Steps in which the learning rate rises.")
    weight_decay: float = Field(0.0, ge=0, description="Weight decay of AdamW.")
    max_grad_norm: float = Field(1.0, gt=0, description="Norm to which gradients are clipped.")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Dropout of the model itself, wherever it has a dropout layer (paper: 0.05).",
    )
    max_length: int = Field(
        512,
        ge=8,
        description="Longest example in tokens; longer ones are left out and counted.",
    )
    dtype: Dtype = Field(
        "bfloat16",
        description="lora: precision of the frozen weights, if the parent is stored in it (otherwise "
        "float32); full: precision of the computation.",
    )
    lora: Lora = Field(Lora(), description="Used when parameters is lora or qlora.")
    loss: PairedLoss | dict[PairedLoss, Annotated[float, Field(gt=0)]] = Field(
        "sigmoid",
        description="dpo: TRL's name of a loss on pairs, or several with weights, e.g. "
        "{sigmoid: 0.8, sft: 0.2}.",
    )
    beta: float = Field(0.1, gt=0, description="Strength of the reference (dpo, kto); τ of ipo.")
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="Share of labels assumed to be flipped (robust, exo_pair, aot).",
    )
    reference: Literal["moving"] | FixedReference = Field(
        "moving",
        description="dpo: what the model is compared with. moving: its parent; {fixed: CHECKPOINT}: "
        "that checkpoint, by stored log-probabilities.",
    )
    order: Literal["shuffled", "file"] = Field(
        "shuffled", description="dpo: rows in an order drawn by the seed, or in that of the file."
    )
    min_pairs: int = Field(
        8,
        ge=1,
        description="dpo, kto: refuse to train on fewer different pairs (per source) than this.",
    )
    max_repeats: int = Field(
        10,
        ge=1,
        description="dpo, kto: refuse to train if a pair would be shown more often than this.",
    )
    save_steps: int = Field(
        50,
        ge=1,
        description="Steps between saved states, from which a killed run resumes (dpo, kto).",
    )

    def micro_batch_sizes(self, processes: int = 1) -> list[int]:
        """Possible numbers of examples per forward pass: the wanted one, then smaller ones.

        All keep global_batch_size = micro-batch x accumulation x processes with whole numbers; each
        is at most half of the one before. ValueError when the wanted one is not possible.
        """
        share, rest = divmod(self.global_batch_size, processes)
        sizes = [min(self.micro_batch_size, max(share, 1))]
        if rest or share % sizes[0]:
            raise ValueError(
                f"global_batch_size {self.global_batch_size} is not a multiple of "
                + (f"{processes} processes x " if processes > 1 else "")
                + f"micro_batch_size {sizes[0]}; accumulation would not be whole"
            )
        fewest = self.trainer.fewest
        if sizes[0] < fewest:
            raise ValueError(
                f"method {self.method} compares the answers of a forward pass with each other, so it "
                f"needs at least {fewest} of them: raise micro_batch_size or global_batch_size"
            )
        while smaller := [n for n in range(fewest, sizes[-1] // 2 + 1) if share % n == 0]:
            sizes.append(smaller[-1])
        return sizes

    @property
    def trainer(self) -> Trainer:
        """The row of the trainer that the recipe names."""
        return TRAINERS[self.method]

    @property
    def precision(self) -> Literal["bfloat16", "float16", "float32", "mixed"]:
        """How the model computes; mixed: in bfloat16, from weights in float32."""
        if self.parameters != "full":
            return self.dtype
        return "mixed" if self.dtype == "bfloat16" else "float32"

    @property
    def losses(self) -> dict[str, float]:
        """Weights of the paired losses by TRL's name."""
        return self.loss if isinstance(self.loss, dict) else {self.loss: 1.0}

    @property
    def starts_at_ln_2(self) -> bool:
        """Whether the loss is ln 2 while the model equals its reference."""
        return (
            "loss" in self.trainer.options
            and all(PAIRED_LOSSES[name].starts_at_ln_2 for name in self.losses)
            and sum(self.losses.values()) == 1
        )

    @model_validator(mode="after")
    def _length(self):
        if (self.epochs is None) == (self.max_steps is None):
            raise ValueError("give exactly one of epochs and max_steps")
        if self.epochs is None and "max_steps" not in self.trainer.options:
            raise ValueError(
                f"max_steps: only for methods {' and '.join(reading('max_steps'))}; give epochs"
            )
        return self

    @model_validator(mode="after")
    def _preferences(self):
        for key in ("loss", "reference", "label_smoothing", "order"):
            default = type(self).model_fields[key].default
            if key not in self.trainer.options and getattr(self, key) != default:
                raise ValueError(f"{key}: only for method {' or '.join(reading(key))}; remove it")
        if not self.losses:
            raise ValueError("loss: names no loss; expected e.g. sigmoid")
        losses = [PAIRED_LOSSES[name] for name in self.losses]
        for loss in losses:
            if loss.smoothing_needed and not self.label_smoothing:
                raise ValueError(
                    f"loss: {loss.name} needs label_smoothing above 0 (its paper: "
                    f"{loss.smoothing_needed:g})"
                )
        if self.label_smoothing and not any(loss.smooths for loss in losses):
            smoothed = sorted(loss.name for loss in PAIRED_LOSSES.values() if loss.smooths)
            raise ValueError(
                f"label_smoothing: not used by {', '.join(self.losses)}, only by "
                f"{', '.join(smoothed)}; remove it"
            )
        return self

    @model_validator(mode="after")
    def _batch(self):
        self.micro_batch_sizes()
        return self
