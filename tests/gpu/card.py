"""The device that is checked, how work on it is measured, and the rows of the table."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")
GIB = 2**30
# FLOP a second, dense, in bfloat16, as the makers' data sheets have them; the first name that fits.
PEAKS = {
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "H200": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
}


class LeftOut(Exception):
    """A check that cannot be made here, and why."""


class Row(NamedTuple):
    """What a check found.

    seconds: of the work. gib: peak memory on the device. rate: tokens a second. utilisation: of
    the device's FLOP a second, the share that the model needs.
    """

    check: str
    result: str
    seconds: float | None = None
    gib: float | None = None
    rate: float | None = None
    utilisation: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Sizes:
    """How much a check does.

    prompts: that are answered with `answer` tokens each. rows: of a training step, each of `length`
    tokens. steps: that are taken, of which the first one is not timed.
    """

    prompts: int
    answer: int
    rows: int
    length: int
    steps: int


SMALL = Sizes(prompts=4, answer=6, rows=4, length=32, steps=3)
LARGE = Sizes(prompts=64, answer=48, rows=16, length=1024, steps=6)


@dataclass(frozen=True)
class Card:
    """One device."""

    device: str

    @cached_property
    def name(self) -> str:
        import torch

        return torch.cuda.get_device_name() if self.device == "cuda" else self.device

    @property
    def peak(self) -> float | None:
        """FLOP a second; None where the data sheet is not known here."""
        return next((value for part, value in PEAKS.items() if part in self.name), None)

    def settle(self) -> None:
        """Wait for what the device still does."""
        import torch

        if self.device == "cuda":
            torch.cuda.synchronize()

    def measured(self, work: Callable[[], Result]) -> tuple[Result, float, float | None]:
        """What the work gives, its seconds, and the peak of this process's device memory, GiB."""
        import torch
        from plumbline.jobs.memory import free

        free()
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        self.settle()
        start = time.perf_counter()
        result = work()
        self.settle()
        seconds = time.perf_counter() - start
        peak = torch.cuda.max_memory_allocated() / GIB if self.device == "cuda" else None
        return result, seconds, peak


@dataclass(frozen=True)
class Lab:
    """What all checks share. checkpoint: the base in whatever precision it is stored in."""

    card: Card
    checkpoint: Path
    work: Path
    sizes: Sizes
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    @cached_property
    def tokenizer(self):
        """The base's tokenizer."""
        from plumbline.models.checkpoints import load_tokenizer

        return load_tokenizer(self.checkpoint)


Check = Callable[[Lab], Iterator[Row]]
