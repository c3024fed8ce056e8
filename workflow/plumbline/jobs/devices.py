"""Assigning GPUs to jobs: jobs that run side by side on one machine never share one.

A device is reserved by a lock on a file in the machine's own temporary folder, from before CUDA is
started until the process ends; the operating system releases it even if the process is killed. Under
SLURM, the choice is among the devices that SLURM gave to the job. CUDA_VISIBLE_DEVICES, as set by
other schedulers or the user, is respected as well.
"""

from __future__ import annotations

import logging
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from plumbline.storage.files import InputError

log = logging.getLogger("plumbline")
VARIABLE = "CUDA_VISIBLE_DEVICES"
NONE = ("-1", "NoDevFiles")  # CUDA ignores all names from such a one on; the second is SLURM's
PAUSE = 2.0  # seconds between two searches for free devices
_held: list = []  # locks, which would open if nothing referred to them


def take(
    device: str,
    count: int = 1,
    *,
    devices: Sequence[str] | None = None,
    folder: Path | None = None,
    pause: float = PAUSE,
) -> None:
    """Wait for `count` free GPUs and make them the only ones that this process sees.

    Must be called before CUDA is started; does nothing unless `device` is cuda, or when called again.
    devices: names as in CUDA_VISIBLE_DEVICES, by default the visible ones. folder: where the locks are.
    Raises InputError when there are fewer than `count`, free or not.
    """
    if device != "cuda" or _held:
        return
    devices = visible() if devices is None else devices
    if len(devices) < count:
        raise InputError(
            f"device: cuda: {count} GPU(s) wanted, {len(devices)} visible"
            f" ({VARIABLE}={os.environ.get(VARIABLE, 'not set')}). Ask the scheduler for more, give "
            f"fewer in the configuration (training.processes, generation.tensor_parallel), or set "
            f"device: cpu."
        )
    # SLURM's jobs may each number their devices from 0, so the same name is another device in each.
    space = f"slurm-{job}" if (job := os.environ.get("SLURM_JOB_ID")) else "machine"
    folder = folder or Path(tempfile.gettempdir()) / f"plumbline-devices-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    locks = {name: folder / f"{space}-{name.replace('/', '_')}.lock" for name in devices}
    waiting = False
    while not (taken := _free(locks, count)):
        if not waiting:
            log.info(f"waiting for {count} of {len(devices)} GPU(s), which other jobs are using")
        waiting = True
        time.sleep(
            pause * random.uniform(0.5, 1.5)
        )  # not at the same moments as other waiting jobs
    os.environ[VARIABLE] = ",".join(taken)
    log.info(f"GPU {os.environ[VARIABLE]} of {len(devices)}")


def visible() -> list[str]:
    """Names of the GPUs that this process may use."""
    named = os.environ.get(VARIABLE)
    if named is None:
        import torch

        return [str(number) for number in range(torch.cuda.device_count())]
    names = [name.strip() for name in named.split(",") if name.strip()]
    end = next((place for place, name in enumerate(names) if name in NONE), len(names))
    return names[:end]


def _free(locks: dict[str, Path], count: int) -> list[str]:
    """Lock `count` devices, or none: two jobs that hold half of theirs would wait for ever."""
    from filelock import FileLock, Timeout

    taken = {}
    for name, path in locks.items():
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        taken[name] = lock
        if len(taken) == count:
            _held.extend(taken.values())
            return list(taken)
    for lock in taken.values():
        lock.release()
    return []
