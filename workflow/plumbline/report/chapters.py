"""What the methods add to the report, in their order."""

from __future__ import annotations

from importlib import import_module

from plumbline.methods.registry import METHODS
from plumbline.report.parts import Chapter

# Loaded by name, so that what only reads a method's face loads nothing heavy. A rule whose program
# loads them names them for its digest.
MODULES = [method.report.chapter for method in METHODS if method.report.chapter]


def chapters() -> list[Chapter]:
    """The methods' chapters."""
    return [import_module(name).CHAPTER for name in MODULES]
