"""Caches of transformers' models: what they keep of the tokens they have read."""

from __future__ import annotations

import inspect

# Arguments of forward() that take a cache; models without one read everything again for each token.
NAMES = ("past_key_values", "cache_params")


def attends_only(model) -> bool:
    """Whether all that a model keeps of the past is attention's keys and values, token by token.

    Not so with a recurrent or convolutional state (Mamba, LFM2, RWKV and hybrids): most such models
    cannot continue by several tokens, and some take padding for part of the text.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    inner = without_adapter(model)
    if getattr(inner, "_is_stateful", False) or cache_name(inner) != NAMES[0]:
        return False
    layers = DynamicCache(config=inner.config).layers
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def cache_name(model) -> str | None:
    """The argument of forward() that takes a cache; None if it has none that is known."""
    parameters = inspect.signature(without_adapter(model).forward).parameters
    return next((name for name in NAMES if name in parameters), None)


def without_adapter(model):
    """The model below an adapter, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
