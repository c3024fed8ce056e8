"""Refusing NaN, which every comparison, sort and argmax would silently accept."""

from __future__ import annotations

from plumbline.storage.files import InputError


def check_logits(logits, model, key: str) -> None:
    """InputError unless all logits are numbers; key: the setting of the model's precision.

    -inf is allowed: models exclude words from their vocabulary with it. +inf is not: it has no softmax.
    """
    if bool((logits < float("inf")).all()):
        return
    name = model.config.name_or_path or type(model).__name__
    raise no_logits(name, str(model.dtype).removeprefix("torch."), key)


def no_logits(name: str, dtype: str, key: str) -> InputError:
    """The error for a model whose logits are not numbers, with the setting to change."""
    remedy = (
        "its weights are damaged: get it, or train it, again"
        if dtype == "float32"
        else f"set {key} to float32 (or to bfloat16, whose range is float32's); if that does not help, "
        f"its weights are damaged"
    )
    return InputError(f"{name}: in {dtype} its logits are no numbers (NaN or infinite); {remedy}.")


def check_weights(model, name: str, remedy: str) -> None:
    """InputError, naming the model `name`, unless all its parameters are finite numbers."""
    for parameter, weight in model.named_parameters():
        if not bool(weight.isfinite().all()):
            raise InputError(
                f"{name}: the weights {parameter} hold NaN or infinite numbers. {remedy}"
            )
