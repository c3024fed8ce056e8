"""How much remains of a training when its weights are rounded to a narrower type.

A few steps change a weight by less than bfloat16's spacing. After rounding, most weights are as they
were and some jump: a different change from the one that was trained.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

NARROW = ("bfloat16", "float16")
ENOUGH = 0.95  # cosine


def cosines(changes: Iterable[tuple]) -> dict[str, float]:
    """Cosine between the change of all weights and what rounding leaves of it, by narrow type.

    changes: (before, after) of every trained weight, float32 tensors of the same shape. 1:
    everything is left; 0: nothing is left, or there are numbers that the type cannot represent.
    """
    import torch

    sums = {name: [0.0, 0.0, 0.0] for name in NARROW}
    for before, after in changes:
        meant = after - before
        for name, parts in sums.items():
            dtype = getattr(torch, name)
            left = after.to(dtype).float() - before.to(dtype).float()
            for place, (one, other) in enumerate(((meant, left), (meant, meant), (left, left))):
                parts[place] += float((one * other).sum(dtype=torch.float64))
    return {name: _cosine(*parts) for name, parts in sums.items()}


def _cosine(product: float, one: float, other: float) -> float:
    value = product / math.sqrt(one * other) if one * other else 0.0
    return round(value, 4) if math.isfinite(value) else 0.0
