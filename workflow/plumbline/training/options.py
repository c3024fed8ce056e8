"""How a training is made to fit a device: its optimizer, memory and kernels.

All but the optimizer's states in 8 bits change results by rounding only.
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
    """InputError where a package is missing that the recipe or the settings ask for."""
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
    """TRL's arguments for the tracker that the settings name, which writes below a tuning's folder.

    Nothing leaves the machine but what wandb sends to the server that its own settings name.
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
        "trackio_static_space_id": False,  # which would publish the curves
    }


def recomputes(model, settings: Training) -> bool:
    """Whether activations are computed again on the way back instead of kept.

    InputError where that is asked of a model that cannot.
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
    """Where processes share float32 weights: gathered and multiplied in bfloat16, added up in float32.

    accelerate would add up gradients and hand on log-probabilities in bfloat16, too.
    """
    if not (trainer.is_fsdp_enabled and recipe.precision == "mixed"):
        return
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy

    trainer.accelerator.state.fsdp_plugin.mixed_precision_policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16, reduce_dtype=torch.float32
    )


def use_kernels(model, recipe: Recipe, settings: Training) -> None:
    """Put the kernels of the settings into a model (without adapter), once it was tried without them.

    They run on a GPU alone, and a model that processes will share is not there yet. InputError
    where there are none for the model.
    """
    kind = model.config.model_type
    if settings.liger:
        from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN
        from transformers.integrations.liger import apply_liger_kernel

        if kind not in MODEL_TYPE_TO_APPLY_LIGER_FN:
            raise InputError(f"training.liger: Liger has no kernels for {kind}; set false.")
        # The loss is TRL's, from hidden states; Liger's would take its place.
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
    """For the time being, attention that reads any mask in any precision, as answering needs it."""
    base = without_adapter(model)
    if base.config._attn_implementation != FLASH:
        yield
        return
    base.set_attn_implementation("sdpa")
    try:
        yield
    finally:
        base.set_attn_implementation(FLASH)
