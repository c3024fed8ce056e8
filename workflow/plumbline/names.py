"""The names of checkpoints."""

from __future__ import annotations

import re

BASE = "base"  # the imported model
FORM_SET = "form"  # facts that only teach how to answer
FORM = f"mix.{FORM_SET}"  # the checkpoint tuned on them
FINAL = "final"  # the stop of a tuning that keeps only the end of its training
PLACEBO = ".placebo"
# Stops of a tuning that has several, in words.
STOPS = {"early_stop": "early stop", "convergence": "convergence"}


def checkpoint_name(tuning: str, stop: str) -> str:
    """`mix.unknown-50.early_stop`; a tuning that has only its final stop is called by its own name."""
    return tuning if stop == FINAL else f"{tuning}.{stop}"


def placebo(tuning: str) -> str:
    """The training on the same pairs with half of them swapped (`placebo.swapped`)."""
    return tuning + PLACEBO


def variant(method: str, percent: float) -> str:
    """The name of a method whose training data keep this per cent of what is Unknown to the base.

    `grath` for 100, which filters nothing, `grath-unknown-25` for 25.
    """
    return method if percent == 100 else f"{method}-unknown-{percent:g}"


_PARTS = re.compile(r"([^.]+?)(?:-unknown-(\d+(?:\.\d+)?))?\.(.*)")


def parts(checkpoint: str) -> tuple[str, float, str]:
    """(method, per cent of Unknown kept, the rest of the name) of a tuning or a checkpoint.

    `grath-unknown-25.r2` is of ("grath", 25.0, "r2"), `grath.r2` of ("grath", 100.0, "r2"), `base`
    of ("base", 100.0, "").
    """
    match = _PARTS.fullmatch(checkpoint)
    if match is None:
        return checkpoint, 100.0, ""
    method, percent, rest = match.groups()
    return method, 100.0 if percent is None else float(percent), rest


def unfiltered(checkpoint: str) -> str:
    """The sibling of a `variant`'s checkpoint that was trained on everything: `grath.r1` for
    `grath-unknown-0.r1`. Any other checkpoint's name as it is.
    """
    method, _, rest = parts(checkpoint)
    return f"{method}.{rest}" if rest else method
