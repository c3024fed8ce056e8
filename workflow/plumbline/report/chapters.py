"""What the methods add to the report, in their order."""

from __future__ import annotations

from importlib import import_module

from plumbline.methods.registry import METHODS
from plumbline.names import parts
from plumbline.report.parts import Chapter

# By method, loaded by name, so that what only reads a method's face loads nothing heavy. A rule whose
# program loads them names them for its digest.
_BY_METHOD = {method.name: method.report.chapter for method in METHODS if method.report.chapter}
MODULES = list(_BY_METHOD.values())


def chapters() -> list[Chapter]:
    """The methods' chapters."""
    return [import_module(name).CHAPTER for name in MODULES]


def question(variant: str, contrast: str) -> str:
    """What a method, or a variant of it, asks by a contrast; empty where it does not say."""
    method, *_ = parts(f"{variant}.")
    if method not in _BY_METHOD:
        return ""
    return import_module(_BY_METHOD[method]).CHAPTER.asks.get(contrast, "")
