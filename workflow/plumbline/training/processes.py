"""The processes that train one checkpoint together; a process alone needs none of this.

`launch` starts them, one per device. All of them load the data and take every step; only the first one
writes files and reports progress.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from plumbline.config.training import Recipe, Training
from plumbline.jobs.memory import first_that_fits, is_out_of_memory
from plumbline.storage.files import read_json, write_json

log = logging.getLogger("plumbline")
CONFIGURATIONS = Path(__file__).parents[2] / "accelerate"
NOTE = "out-of-memory.json"  # below the work folder, from a process to the one that started it
# The others wait while the first asks the probes or writes; if one dies, its starter ends them all.
PATIENCE = timedelta(days=1)
REMEDY = (
    "Lower the recipe's max_length, set training.gradient_checkpointing: true, train fewer weights "
    "(parameters: lora, or qlora on a GPU), share the model out among more GPUs (training.processes "
    "with strategy: fsdp), or use a device with more memory."
)
PR_SET_PDEATHSIG = 1  # of Linux's prctl(2)


def launched() -> bool:
    """Whether this process is one of several."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def count() -> int:
    """How many processes train together."""
    return int(os.environ["WORLD_SIZE"]) if launched() else 1


def first() -> bool:
    """Whether this process is the one that writes."""
    return not launched() or os.environ["RANK"] == "0"


def wait() -> None:
    """Wait until all processes are here."""
    if launched():
        from accelerate import PartialState

        PartialState().wait_for_everyone()


def join(device: str) -> None:
    """Connect to the other processes. Must be called before any other work."""
    if not launched():
        return
    from accelerate import PartialState

    if sys.platform == "linux":  # processes must not go on writing when their starter is killed
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if not first():
        log.setLevel(logging.ERROR)
    cpu = device == "cpu"
    options = {"backend": "gloo"} if cpu else {}
    PartialState(cpu=cpu, timeout=PATIENCE, **options)


def leave() -> None:
    """Disconnect from the other processes, once there is nothing more to do together."""
    if launched():
        from torch.distributed import destroy_process_group

        destroy_process_group()


def launch_within_memory(
    settings: Training, recipe: Recipe, name: str, program: str, arguments: list[str], work: Path
) -> None:
    """`launch` with `--micro-batch N` added, where N is the largest micro-batch of the recipe that
    fits.

    Raises InputError when not even the smallest fits; `name` is the training's name in messages.
    """
    first_that_fits(
        recipe.micro_batch_sizes(settings.processes),
        lambda micro: launch(settings, program, [*arguments, "--micro-batch", str(micro)], work),
        f"{name}: micro_batch_size",
        REMEDY,
    )


def launch(settings: Training, program: str, arguments: Sequence[str], work: Path) -> None:
    """Run `python -m program arguments` as `settings.processes` processes, until they end.

    Raises MemoryError when one of them ran out of memory (see `noting`). For any other failure, the
    processes have printed a message, and this process exits with status 1.
    """
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    logging.getLogger("torchelastic-events-null").setLevel(logging.WARNING)
    note = work / NOTE
    note.unlink(missing_ok=True)
    options = [
        *_sharing(settings),
        "--num_processes", str(settings.processes),
        "--main_process_port", "0",  # a free one
        "--module", program,
    ]  # fmt: skip
    try:
        launch_command(launch_command_parser().parse_args([*options, *arguments]))
    except ChildFailedError as error:
        if note.exists():
            raise MemoryError(read_json(note)["reason"]) from error
        sys.exit(1)


def _sharing(settings: Training) -> list[str]:
    """Options of `accelerate launch` that say what the processes share."""
    if not settings.shares:
        return ["--config_file", str(CONFIGURATIONS / "ddp.yaml")]
    return [
        "--config_file", str(CONFIGURATIONS / "fsdp.yaml"),
        "--fsdp_reshard_after_forward", str(settings.strategy == "fsdp").lower(),
        "--fsdp_offload_params", str(settings.cpu_offload).lower(),
    ]  # fmt: skip


@contextmanager
def noting(work: Path) -> Iterator[None]:
    """Leave a note for `launch` when memory is short, since only all processes together can
    try again.
    """
    try:
        yield
    except Exception as error:
        if launched() and is_out_of_memory(error):
            write_json(work / NOTE, {"reason": str(error) or type(error).__name__})
        raise
