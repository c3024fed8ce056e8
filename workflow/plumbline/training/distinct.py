"""Checks for enough different pairs: a handful shown over and over teaches only those."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from plumbline.config.training import Recipe
from plumbline.records import Pair
from plumbline.storage.files import InputError

MORE = "Give more prompts or draw more responses, or train for fewer steps."


def check_file(name: str, pairs: Iterable[Pair], recipe: Recipe) -> None:
    """InputError if a training file has too few pairs for `recipe`, or would show them too often.

    Pairs are the same if their prompts and both answers are, whatever their ids.
    """
    counts = Counter(
        pair.model_dump_json(include={"prompt", "chosen", "rejected"}) for pair in pairs
    )
    rows = sum(counts.values())
    passes = recipe.epochs or math.ceil(recipe.max_steps * recipe.global_batch_size / max(rows, 1))
    repeats = max(counts.values(), default=0) * passes
    check(name, len(counts), repeats, recipe.min_pairs, recipe.max_repeats)


def check(
    name: str,
    distinct: int,
    repeats: int,
    min_pairs: int,
    max_repeats: int,
    dropped: Mapping[str, int] | None = None,
) -> None:
    """InputError unless there are `min_pairs` and none is shown more than `max_repeats` times.

    name: the training file's; dropped: pairs that were left out, by reason.
    """
    if distinct >= min_pairs and repeats <= max_repeats:
        return
    lost = ", ".join(f"{n:,} {reason}" for reason, n in sorted((dropped or {}).items()) if n)
    often = f", shown up to {repeats:,} times each" if distinct else ""
    raise InputError(
        f"{name}: {distinct:,} different pairs{often}{lost and f' (left out: {lost})'}; its recipe "
        f"requires at least {min_pairs} (min_pairs), each at most {max_repeats} times (max_repeats). "
        f"{MORE}"
    )
