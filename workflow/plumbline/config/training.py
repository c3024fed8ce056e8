"""Recipes: how a checkpoint is trained from its parent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from plumbline.config.base import Dtype, Section


class Lora(Section):
    rank: int = Field(16, ge=1, description="r.")
    alpha: float = Field(32, gt=0, description="Scale is alpha / rank.")
    dropout: float = Field(0.05, ge=0, lt=1, description="Of the adapter's input.")
    target_modules: Literal["all-linear"] | list[str] = Field(
        "all-linear", description="Layers that get an adapter."
    )


class Recipe(Section):
    """How a checkpoint is trained from its parent."""

    method: Literal["sft"] = Field("sft", description="Supervised fine-tuning.")
    parameters: Literal["lora", "full"] = Field("lora", description="What is trained.")
    learning_rate: float = Field(gt=0, lt=1, description="Peak learning rate (AdamW).")
    epochs: int = Field(ge=1, description="Passes over the training file.")
    global_batch_size: int = Field(ge=1, description="Examples a step over all devices.")
    micro_batch_size: int = Field(8, ge=1, description="Examples a forward pass on one device.")
    scheduler: Literal["constant", "linear", "cosine"] = Field(
        "constant", description="Of the learning rate."
    )
    warmup_steps: int = Field(0, ge=0, description="Steps of rising learning rate.")
    weight_decay: float = Field(0.0, ge=0, description="AdamW's.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradient clipping.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the model itself (paper: 0.05).")
    max_length: int = Field(
        512, ge=8, description="Tokens; longer examples are left out and counted."
    )
    dtype: Dtype = Field(
        "bfloat16", description="Of the frozen weights (lora) or the computation (full)."
    )
    lora: Lora = Field(Lora(), description="Used when parameters is lora.")

    @model_validator(mode="after")
    def _batch(self):
        if self.global_batch_size % min(self.micro_batch_size, self.global_batch_size):
            raise ValueError(
                f"global_batch_size {self.global_batch_size} is not a multiple of "
                f"micro_batch_size {self.micro_batch_size}; accumulation would not be whole"
            )
        return self
