"""The placebo of a preference training: the same pairs, with no telling which side is preferred.

Whatever a training on these gains comes of training on such texts, and not of the preference. Ours;
no paper has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from plumbline.records import Pair

SIDES = ("chosen", "rejected")


def swapped(pairs: Iterable[Pair], seed: int) -> list[Pair]:
    """The pairs in their order, each with its sides swapped with probability 1/2.

    What a pair says of its sides (fields that begin with `chosen` or `rejected`) goes with them;
    all else stays, and `swapped` tells what was done. The draw is of the pair's texts and the seed
    alone, so that a pair that a file repeats keeps one direction, as it does in the training.
    """
    return [_swapped(pair) if _drawn(pair, seed) else _marked(pair) for pair in pairs]


def _drawn(pair: Pair, seed: int) -> bool:
    text = pair.model_dump_json(include={"prompt", *SIDES})
    return hashlib.sha256(f"{seed}:placebo:{text}".encode()).digest()[0] % 2 == 1


def _marked(pair: Pair) -> Pair:
    return pair.model_copy(update={"swapped": False})


def _swapped(pair: Pair) -> Pair:
    chosen, rejected = SIDES
    row = pair.model_dump()
    other = {
        there + name.removeprefix(here): row[name]
        for here, there in ((chosen, rejected), (rejected, chosen))
        for name in row
        if name.startswith(here)
    }
    return Pair.model_validate({**row, **other, "swapped": True})
