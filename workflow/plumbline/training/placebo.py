"""The placebo of a preference training: the same pairs without information on which side is better.

Whatever a training on these gains is due to training on such texts, and not to the preference. Ours;
no paper has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from plumbline.records import Pair

SIDES = ("chosen", "rejected")


def swapped(pairs: Iterable[Pair], seed: int) -> list[Pair]:
    """The pairs in their order, each with its sides swapped with probability 1/2.

    Fields about a side (beginning with `chosen` or `rejected`) are swapped too; all others stay, and
    `swapped` says what was done. The draw depends only on the pair's texts and the seed, so that a pair
    that a file repeats keeps one direction, as in the training.
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
