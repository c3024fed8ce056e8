"""The layers of a model that get an adapter."""

from __future__ import annotations

from collections.abc import Iterator

from plumbline.config.training import Recipe
from plumbline.storage.files import InputError


def adapter(recipe: Recipe, model):
    """PEFT's configuration of the recipe's adapter on this model.

    all-linear leaves out layers that a state-space layer multiplies with by itself: their bare weights
    are passed to a kernel, which ignores adapters. InputError if a named layer is one of these or does
    not exist in the model; PEFT does not complain as long as one of the names exists.
    """
    from peft import LoraConfig

    targets, bare = recipe.lora.target_modules, sorted(set(_bare(model)))
    if targets != "all-linear":
        _check(targets, bare, model)
    return LoraConfig(
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=targets,
        exclude_modules=bare or None,
        bias="none",
        task_type="CAUSAL_LM",
    )


def _bare(model) -> Iterator[str]:
    """Layers whose weight a state-space layer's kernel reads (Mamba, Mamba 2 and what has them)."""
    for name, module in model.named_modules():
        if hasattr(module, "A_log") and hasattr(module, "D"):
            for child, _ in module.named_children():
                if child != "in_proj":
                    yield f"{name.rpartition('.')[2]}.{child}"


def _check(targets: list[str], bare: list[str], model) -> None:
    from torch.nn import Linear

    names = [name for name, _ in model.named_modules()]
    for target in targets:
        layers = [name for name in names if f".{name}".endswith(f".{target}")]
        if any(not layer.endswith(tuple(bare)) for layer in layers):
            continue
        linear = {n.rpartition(".")[2] for n, m in model.named_modules() if isinstance(m, Linear)}
        lacking = "has no layer" if not layers else "reads past any adapter of the layer"
        raise InputError(
            f"lora.target_modules: the model {lacking} {target!r}. Expected all-linear or names among "
            f"{', '.join(sorted(linear - {name.rpartition('.')[2] for name in bare}))}."
        )
