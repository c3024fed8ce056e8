"""Training files of atomic and general pairs in an exact ratio.

The paper's ratio is not known to us; the shares, and that all training files of a run have the same
size, are ours.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from plumbline.records import Pair
from plumbline.storage.files import InputError


def split(size: int, percent: float) -> tuple[int, int]:
    """(atomic, general) pairs of a file of `size` pairs: `percent` of it, rounded half up."""
    atomic = int(size * percent / 100 + 0.5)
    return atomic, size - atomic


def common_size(atomic: int, general: int, percents: Iterable[float]) -> int:
    """The largest size that files of all shares can have, given so many pairs of each kind."""
    percents = list(percents)
    return next(
        size
        for size in range(atomic + general, -1, -1)
        if all(
            wanted <= available
            for percent in percents
            for wanted, available in zip(split(size, percent), (atomic, general), strict=True)
        )
    )


def mixed(
    atomic: Sequence[Pair],
    general: Sequence[Pair],
    *,
    percent: float,
    size: int,
    seed: int,
    reasons: Mapping[str, int],
) -> list[Pair]:
    """`size` pairs, `percent` of them atomic, drawn and ordered with the seed.

    The pairs of a smaller draw are among those of a larger one, for each kind. Raises InputError
    when there are too few pairs, or size is 0, naming what was dropped (`reasons`).
    """
    listed = ", ".join(f"{n:,} {reason}" for reason, n in reasons.items() if n)
    what_was_lost = f" Dropped: {listed}." if listed else ""
    remedy = "Give more prompts, draw more responses or answers, or list other shares."
    if size == 0:
        raise InputError(
            f"no training file can be made for all shares: there are {len(atomic):,} atomic and "
            f"{len(general):,} general pairs.{what_was_lost} {remedy}"
        )
    drawn = []
    kinds = {"atomic": atomic, "general": general}
    for (name, pairs), wanted in zip(kinds.items(), split(size, percent), strict=True):
        if len(pairs) < wanted:
            raise InputError(
                f"{percent:g} % atomic of {size:,} pairs needs {wanted:,} {name} pairs, but there "
                f"are {len(pairs):,}.{what_was_lost} {remedy} Or set apeft.pairs lower."
            )
        order = sorted(pairs, key=lambda pair: pair.id)
        random.Random(f"{seed}:{name}").shuffle(order)
        drawn += order[:wanted]
    random.Random(f"{seed}:order").shuffle(drawn)
    return drawn
