"""Out of memory: told from other mistakes, and tried again with less at once."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from plumbline.storage.files import InputError

log = logging.getLogger("plumbline")
Result = TypeVar("Result")

# What torch says on GPUs (its own allocator, CUDA, cuBLAS), Macs and CPUs (Linux, Windows).
SIGNS = (
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "can't allocate memory",
    "not enough memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory did not suffice, on any device."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def halves(size: int, smallest: int = 1) -> list[int]:
    """`size`, a half of it and so on, none below `smallest` but the first."""
    sizes = [size]
    while sizes[-1] // 2 >= smallest:
        sizes.append(sizes[-1] // 2)
    return sizes


def first_that_fits(
    sizes: Sequence[int],
    attempt: Callable[[int], Result],
    name: str,
    remedy: str,
    too_large: Callable[[BaseException], bool] = is_out_of_memory,
) -> Result:
    """The result of `attempt(size)` for the first of `sizes` (largest first) that fits.

    name: what the size is called in messages, a configuration key where there is one.
    too_large: which exceptions mean that it did not fit; any other passes through.
    Raises InputError with `remedy`, what the user can change, when not even the last size fits.
    """
    for size, smaller in zip(sizes, [*sizes[1:], None], strict=True):
        try:
            return attempt(size)
        except Exception as error:
            if not too_large(error):
                raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        # Outside of the handler, whose traceback holds on to the tensors of what failed.
        free()
        if smaller is None:
            break
        log.warning(f"{name} {size} does not fit ({reason}); trying again with {smaller}")
    raise InputError(f"{name} {size} does not fit, and cannot be smaller ({reason}). {remedy}")


def free() -> None:
    """Give back what is no longer used, on devices, too."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.accelerator.is_available() and torch.accelerator.current_accelerator():
        torch.accelerator.empty_cache()
