"""What the methods add to the report, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from plumbline.methods.registry import METHODS
from plumbline.names import BASE, PLACEBO, parts, variant
from plumbline.report.labels import checkpoint_label, variant_label
from plumbline.report.parts import Chapter

# By method. They are loaded by name, so that code that reads only a method's face loads nothing heavy;
# a rule whose program loads them names them for its digest.
_BY_METHOD = {method.name: method.report.chapter for method in METHODS if method.report.chapter}
MODULES = list(_BY_METHOD.values())


def _chapter(method: str) -> Chapter:
    """The method's chapter; an empty one if the method has none."""
    return import_module(_BY_METHOD[method]).CHAPTER if method in _BY_METHOD else Chapter()


def chapters() -> list[Chapter]:
    """The methods' chapters."""
    return [_chapter(method) for method in _BY_METHOD]


def pages_off(config: Mapping[str, Any]) -> set[str]:
    """Keys of the pages of methods that a configuration turns off: all their sections are null."""
    off = [m for m in METHODS if all(key in config and config[key] is None for key in m.sections)]
    return {page.key for method in off for page in _chapter(method.name).pages}


def question(variant: str, contrast: str) -> str:
    """The question that a method, or a variant of it, asks by a contrast; empty if it does not say."""
    method, *_ = parts(f"{variant}.")
    return _chapter(method).asks.get(contrast, "")


def spoken(checkpoint: str) -> str:
    """A checkpoint as a sentence names it: `grath.r2` as `the model after round 2 of GRATH`.

    In the words of its method's chapter or, if that has none, by its label. It begins with `the`.
    """
    if checkpoint == BASE:
        return "the base model"
    if checkpoint.endswith(PLACEBO):
        return f"the placebo of {spoken(checkpoint.removesuffix(PLACEBO))}"
    method, percent, rest = parts(checkpoint)
    words = _chapter(method).spoken(variant_label(variant(method, percent)), rest)
    return words or f"the checkpoint {checkpoint_label(checkpoint)}"
