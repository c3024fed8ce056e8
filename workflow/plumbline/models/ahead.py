"""Work that one job does for other jobs, since it has already loaded what they need too.

Importing torch and loading a model can take longer than the work itself. A result that was made ahead
waits in the model's store until the job that needs it moves it into place. Its file name is a digest
of everything that determines the result, so it is exactly what that job would make.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from plumbline.models import checkpoints
from plumbline.storage.files import InputError, sha256_file, sha256_json
from plumbline.storage.lists import ListedWork

log = logging.getLogger("plumbline")
LONGEST = 3600  # seconds after which a job begins no more work for others: its own time is limited


def store_folder(root: Path, checkpoint: Path, kind: str, version: int = 0) -> Path:
    """Where a checkpoint's results of a kind are kept, below the folder of the model's results.

    The name depends on weights, tokenizer and end tokens, and on the version.
    """
    weights = checkpoints.describe(checkpoint)["weights_sha256"]
    whole = sha256_json([version, checkpoints.answers_digest(checkpoint)])
    return root / "store" / f"{weights[:16]}-{kind}-{whole[:8]}"


def take(waiting: Path, output: Path) -> bool:
    """Move a waiting result to where its job wants it; False if there is none."""
    if not waiting.exists():
        return False
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(waiting, output)
    output.touch()  # made from the inputs as they are now
    return True


def is_ready(inputs: Iterable[Path], output: Path, begun: float = 0) -> bool:
    """Whether a job can run and has not, at least not since `begun` (seconds of the epoch)."""
    inputs = list(inputs)
    if not all(path.exists() for path in inputs):
        return False
    latest = max([begun, *(path.stat().st_mtime for path in inputs)])
    return not output.exists() or output.stat().st_mtime < latest


class WorkList:
    """All works of one kind for a model, by name, and their results that were made ahead.

    root: the model's folder; store: the folder of a checkpoint's results, see `store_folder`; settings:
    whatever determines all results and is not in the store's name, including the code's digest; output:
    where a work's own job puts its result, below `root`.
    """

    def __init__(
        self,
        root: Path,
        works: Mapping[str, ListedWork],
        *,
        store: Callable[[Path], Path],
        settings: Sequence[str],
        output: Callable[[str], str],
    ):
        self.root, self._works, self._settings = root, works, list(settings)
        self._store, self._cached, self._output = store, cache(store), output

    def __getitem__(self, name: str) -> ListedWork:
        return self._works[name]

    def checkpoint(self, name: str) -> Path:
        """The folder of the checkpoint that a work needs."""
        return self.root / self[name].checkpoint

    def input(self, name: str) -> Path:
        """What a work reads."""
        return self.root / self[name].input

    def store(self, name: str) -> Path:
        """The store of a work's checkpoint, determined when this is first called."""
        return self._cached(self.checkpoint(name))

    def check_unchanged(self, name: str) -> None:
        """InputError when a work's checkpoint was replaced after its store was determined.

        Must be called once the checkpoint is loaded, since the result is stored under the earlier
        one's name.
        """
        if self._store(self.checkpoint(name)) != self.store(name):
            folder = self.checkpoint(name)
            raise InputError(f"{folder}: was replaced by another job; run this one again.")

    def finished(self, name: str) -> Path:
        """Where a work's result waits for its job."""
        # With the work's name: two checkpoints may have equal weights, and each job moves its own file.
        decides = [name, sha256_file(self.input(name)), self[name].setting, *self._settings]
        digest = hashlib.sha256(json.dumps(decides).encode()).hexdigest()
        return self.store(name) / "finished" / f"{digest[:32]}.jsonl"

    def take(self, name: str, output: Path) -> bool:
        """Move a work's waiting result to where its job wants it; whether there was one."""
        return take(self.finished(name), output)

    def make_ahead(
        self, asked: str, make: Callable[[str, Path], None], elsewhere: bool = True
    ) -> None:
        """Do other work that is ready, for an hour at most: `make(name, finished)` writes the file.

        elsewhere: also for other checkpoints, or only for that of the asked work. Work that becomes
        ready meanwhile is done too. Whatever `make` cannot make, or another job is making
        (filelock's Timeout), is left to its own job.
        """
        from filelock import Timeout

        end, tried = time.monotonic() + LONGEST, {asked}
        while ready := [name for name in self._ready(asked, elsewhere) if name not in tried]:
            tried.update(ready)
            for name in ready:
                finished = self.finished(name)
                if finished.exists() or not self._is_ready(name):  # another job was at it
                    continue
                if time.monotonic() > end:
                    log.info("no time is left to do more for other jobs")
                    return
                log.info(f"goes on with {name}")
                try:
                    make(name, finished)
                except (Timeout, InputError) as error:
                    log.info(f"{name} is left to its own job: {error}")

    def _ready(self, asked: str, elsewhere: bool) -> list[str]:
        """Works that can be done and are not, those of the asked work's checkpoint first."""
        here = self[asked].checkpoint
        names = (n for n in self._works if elsewhere or self[n].checkpoint == here)
        ready = filter(self._is_ready, names)
        return sorted(ready, key=lambda n: (self[n].checkpoint != here, self[n].checkpoint))

    def _is_ready(self, name: str) -> bool:
        inputs = self.root / self[name].marker, self.input(name)
        return is_ready(inputs, self.root / self._output(name))
