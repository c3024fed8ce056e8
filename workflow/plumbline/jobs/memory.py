"""Out of memory: recognised among other errors, and tried again with smaller sizes."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from plumbline.storage.files import InputError

log = logging.getLogger("plumbline")
Result = TypeVar("Result")

# Messages of torch on GPUs (its own allocator, CUDA, cuBLAS), Macs and CPUs (Linux, Windows).
SIGNS = (
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "can't allocate memory",
    "not enough memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory was insufficient, on any device."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def halves(size: int, smallest: int = 1) -> list[int]:
    """`size`, half of it and so on; none but the first is below `smallest`."""
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

    name: what the size is called in messages, if possible a configuration key.
    too_large: which exceptions mean that it did not fit; any other passes through.
    Raises InputError with `remedy`, what the user can change, if not even the last size fits.
    """
    for size, smaller in zip(sizes, [*sizes[1:], None], strict=True):
        try:
            return attempt(size)
        except Exception as error:
            if not too_large(error):
                raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        # Outside the handler, whose traceback keeps the tensors of the failed attempt alive.
        free()
        if smaller is None:
            break
        log.warning(f"{name} {size} does not fit ({reason}); trying again with {smaller}")
    raise InputError(f"{name} {size} does not fit, and cannot be smaller ({reason}). {remedy}")


def free() -> None:
    """Release memory that is no longer used, also on devices."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.accelerator.is_available() and torch.accelerator.current_accelerator():
        torch.accelerator.empty_cache()
