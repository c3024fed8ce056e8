"""The model that a process has loaded: one at a time, kept in case the same is needed again."""

from __future__ import annotations

from pathlib import Path

from plumbline.jobs import devices
from plumbline.jobs.memory import free
from plumbline.models import checkpoints

_kept: dict[tuple, object] = {}


def model(folder: Path, dtype: str, *, device: str, threads: int, load: str = "load_model"):
    """A checkpoint's model for evaluation, on the device; threads: of a CPU.

    load: which function of `checkpoints` loads it. A different model that is kept is released first.
    """
    devices.take(device)
    import torch

    if device == "cpu":
        torch.set_num_threads(threads)
    weights = checkpoints.describe(folder)["weights_sha256"]
    asked = load, folder.resolve(), weights, dtype, device
    if asked not in _kept:
        clear()
        _kept[asked] = getattr(checkpoints, load)(folder, dtype).to(device).eval()
    return _kept[asked]


def clear() -> None:
    """Release the memory of the model that is kept."""
    if _kept:
        _kept.clear()
        free()


def folder() -> Path | None:
    """The checkpoint whose model is kept, if one is."""
    return next((asked[1] for asked in _kept), None)
