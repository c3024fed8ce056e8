"""The randomness in a training's forward pass, set to what the recipe asks for.

Models have their dropout in layers (GPT-2), in numbers on their modules (Llama, OPT, Bloom) or read
it from their configuration (GPT-J, Falcon), under many names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

_DROPOUT = re.compile(r"dropout|pdrop(?:$|_)")
# Skipped layers, and noise on a router's input, which recipes do not cover.
_OTHER_NOISE = frozenset({"layerdrop", "jitter_noise", "input_jitter_noise", "moe_jitter_eps"})


def set_dropout(model, rate: float) -> None:
    """Set dropout of every kind to `rate`, and switch off other noise of training."""
    from huggingface_hub.errors import StrictDataclassFieldValidationError
    from torch.nn.modules.dropout import _DropoutNd

    for module in model.modules():
        if isinstance(module, _DropoutNd):
            module.p = rate
        else:
            _set_numbers(module, rate)
    for config in _configs(model.config):
        # MPT's accepts whole numbers only; it is no longer read once the modules exist.
        with suppress(StrictDataclassFieldValidationError):
            _set_numbers(config, rate)


def evaluate_without_gradient(model) -> None:
    """Make forward passes without gradients, like a reference's, run in evaluation mode from now on."""
    import torch

    def before(module, _):
        module.plumbline_was_training = module.training
        if module.training and not torch.is_grad_enabled():
            module.eval()

    def after(module, *_):
        if module.plumbline_was_training and not module.training:
            module.train()

    model.register_forward_pre_hook(before)
    model.register_forward_hook(after, always_call=True)


def _set_numbers(owner: object, rate: float) -> None:
    for name, value in list(vars(owner).items()):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            continue
        if name in _OTHER_NOISE:
            setattr(owner, name, 0.0)
        elif _DROPOUT.search(name):
            setattr(owner, name, rate or type(value)(0))


def _configs(config) -> Iterator:
    """The configuration and those inside it."""
    from transformers import PretrainedConfig

    yield config
    for value in vars(config).values():
        if isinstance(value, PretrainedConfig):
            yield from _configs(value)
