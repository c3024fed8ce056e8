"""What every program in workflow/scripts does around its work: logging and clear error messages."""

from __future__ import annotations

import errno
import gc
import logging
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from plumbline.jobs import command_line, effort
from plumbline.storage.files import InputError, first_mistake

log = logging.getLogger("plumbline")
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
# The same in messages of what writes weights: safetensors and torch's archives.
_FAILED_WRITE = re.compile(
    r"No space left on device|Disk quota exceeded|Read-only file system"
    r"|inline_container.*unexpected pos.*|PytorchStreamWriter failed writing file"
    r"|basic_ios::clear: iostream error"
)


def cli(
    main: Callable[..., None],
    call: Callable[[Callable[..., None], Sequence[str]], None] = command_line.call,
) -> None:
    """Run a program from its command line, which follows `main`'s signature (`command_line`): log to
    stderr; on bad options or bad input, end with status 1 and one clear line.

    call: calls `main` with the words of the command line, and may do more around it. With --debug among
    the arguments, bad input ends in a traceback.
    """
    name = Path(main.__code__.co_filename).stem
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format=f"%(asctime)s {name}: %(message)s",
        datefmt="%H:%M:%S",
    )
    # A million rows stay in use: with the default, half the time went into collecting garbage.
    gc.set_threshold(50_000, 20, 100)
    try:
        call(main, sys.argv[1:])
        if told := effort.told():
            log.info(told)
    except (InputError, ValidationError) as error:
        if debug:
            raise
        if isinstance(error, ValidationError):  # of a JSON document
            what = first_mistake(error, "the whole")
            error = f"{error.title}: {what}. Correct it; --debug shows where it was read."
        sys.exit(f"{name}: {error}")
    except Exception as error:
        reason = _unwritable(error)
        if debug or reason is None:
            raise
        sys.exit(
            f"{name}: cannot write: {reason}. Make room on the disk (or in the quota), or correct "
            f"the permissions, and start again: what was finished is kept."
        )


def _unwritable(error: BaseException | None) -> str | None:
    """The message of a failed write, if one is behind an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            return f"{error.strerror}{f' ({error.filename})' if error.filename else ''}"
        if match := _FAILED_WRITE.search(str(error)):
            return match[0]
        error = error.__cause__ or error.__context__
    return None


class Progress:
    """Lines like `1,200/10,000 prompts (12 %), 63.1/s, 2:20 left`, at most one every few seconds.

    Lines, not a bar, since they read well in a log file and beside other jobs' lines.
    """

    def __init__(self, total: int, unit: str, every: float = 5.0, done: int = 0):
        """done: what was there before, and says nothing of the pace."""
        self.total, self.unit, self.every, self.done, self._before = total, unit, every, done, done
        self._start = self._last = time.monotonic()

    def advance(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self._last >= self.every or self.done >= self.total:
            self._last = now
            rate = (self.done - self._before) / max(now - self._start, 1e-9)
            left = int((self.total - self.done) / rate) if rate > 0 else 0
            share = self.done / self.total if self.total else 1
            said = f"{self.done:,}/{self.total:,} {self.unit} ({share:.0%}), {rate:.1f}/s"
            # The first of very many says nothing of the pace: it paid for what was set up.
            log.info(said + (f", {left // 60}:{left % 60:02d} left" if share >= 0.01 else ""))
