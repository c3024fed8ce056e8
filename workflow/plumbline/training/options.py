"""Options that fit a training to a device: its optimizer, memory and kernels.

All but an optimizer with 8-bit states change results only by rounding.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from plumbline.config.training import LARGE, TRACKERS, Recipe, Training
from plumbline.models.caches import without_adapter
from plumbline.storage.files import InputError

log = logging.getLogger("plumbline")
# TRL's names, by the recipe's and whether its states are paged.
OPTIMIZERS = {
    ("adamw", False): "adamw_torch_fused",
    ("adamw", True): "paged_adamw_32bit",
    ("adamw_8bit", False): "adamw_bnb_8bit",
    ("adamw_8bit", True): "paged_adamw_8bit",
}
FLASH = "flash_attention_2"
PROJECT = "plumbline"


def check(recipe: Recipe, settings: Training) -> None:
    """InputError if a package that the recipe or the settings need is missing."""
    asked = (
        (recipe.parameters == "qlora", "parameters: qlora", "bitsandbytes", "lora"),
        (recipe.optimizer == "adamw_8bit", "optimizer: adamw_8bit", "bitsandbytes", "adamw"),
        (settings.paged_optimizer, "training.paged_optimizer: true", "bitsandbytes", "false"),
        (settings.attention == FLASH, f"training.attention: {FLASH}", "flash_attn", "sdpa"),
        (settings.liger, "training.liger: true", "liger_kernel", "false"),
        *(
            (settings.report_to == tracker, f"training.report_to: {tracker}", tracker, "none")
            for tracker in TRACKERS
        ),
    )
    for wanted, key, package, instead in asked:
        if wanted and find_spec(package) is None:
            raise InputError(
                f"{key} needs the package {package}, which is not installed here; install it "
                f"(bitsandbytes is part of requirements/gpu.txt), or set {instead}."
            )


def optimizer(recipe: Recipe, settings: Training) -> str:
    """TRL's name of the optimizer."""
    return OPTIMIZERS[recipe.optimizer, settings.paged_optimizer]


def tracking(settings: Training, out: Path) -> dict[str, Any]:
    """TRL's arguments for the tracker that the settings name, which writes below the tuning's folder.

    Nothing leaves the machine, except what wandb sends to the server in its own settings.
    """
    if settings.report_to == "none":
        return {"report_to": []}
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(out / "runs")
    os.environ.setdefault("WANDB_DIR", str(out))
    os.environ.setdefault("WANDB_PROJECT", PROJECT)
    return {
        "report_to": [settings.report_to],
        "run_name": out.as_posix(),
        "project": PROJECT,  # trackio's
        "trackio_static_space_id": False,  # otherwise it publishes the curves
    }


def recomputes(model, settings: Training) -> bool:
    """Whether activations are recomputed in the backward pass instead of kept.

    InputError if the settings ask for it and the model cannot.
    """
    possible = getattr(model, "supports_gradient_checkpointing", False)
    if settings.gradient_checkpointing == "auto":
        chosen = possible and model.num_parameters() >= LARGE
        if chosen:
            log.info("gradient checkpointing is on: the model has a billion weights or more")
        return chosen
    if settings.gradient_checkpointing and not possible:
        raise InputError(
            f"training.gradient_checkpointing: {model.config.model_type} does not support it; set "
            f"auto or false."
        )
    return settings.gradient_checkpointing


def share_in_two_precisions(trainer, recipe: Recipe) -> None:
    """If processes share float32 weights: gather and multiply in bfloat16, but sum in float32.

    accelerate would also sum gradients and return log-probabilities in bfloat16.
    """
    if not (trainer.is_fsdp_enabled and recipe.precision == "mixed"):
        return
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy

    trainer.accelerator.state.fsdp_plugin.mixed_precision_policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16, reduce_dtype=torch.float32
    )


def use_kernels(model, recipe: Recipe, settings: Training) -> None:
    """Put the kernels of the settings into a model (without adapter), after a trial without them.

    They only run on a GPU, and a model that processes will share is not there yet. InputError if there
    are none for the model.
    """
    kind = model.config.model_type
    if settings.liger:
        from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN
        from transformers.integrations.liger import apply_liger_kernel

        if kind not in MODEL_TYPE_TO_APPLY_LIGER_FN:
            raise InputError(f"training.liger: Liger has no kernels for {kind}; set false.")
        # TRL's loss works on hidden states; Liger's would replace it.
        apply_liger_kernel(model, {"cross_entropy": False, "fused_linear_cross_entropy": False})
    if settings.attention == FLASH:
        if model.dtype.itemsize > 2 and recipe.precision != "mixed":
            raise InputError(
                f"training.attention: {FLASH} reads 16 bits only, but an adapter on a tuned parent is "
                f"trained on its weights in float32; set sdpa."
            )
        try:
            model.set_attn_implementation(FLASH)
        except (ImportError, ValueError) as error:
            raise InputError(f"training.attention: {FLASH}: {error} Set sdpa.") from error


@contextmanager
def any_attention(model) -> Iterator[None]:
    """Temporarily, attention that reads any mask in any precision, as answering needs it."""
    base = without_adapter(model)
    if base.config._attn_implementation != FLASH:
        yield
        return
    base.set_attn_implementation("sdpa")
    try:
        yield
    finally:
        base.set_attn_implementation(FLASH)
