"""Names of temporary files and folders that tell whose they are.

A process that is killed cannot remove what it had begun. Its machine and number in the name tell
later whether it is still at work; the next run never takes such a file for a result.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

SUFFIX = ".part"
MERGED = "merged-"  # weights that generation merges for as long as its engine runs
_OWNED = re.compile(r"@(?P<host>[^@/]+)@(?P<pid>\d+)@")


def prefix(name: str) -> str:
    """Beginning of a temporary name for what will be called `name`."""
    return f"{name}.@{os.uname().nodename[:60]}@{os.getpid()}@"


def is_temporary(path: Path) -> bool:
    """Whether the name is one that is only ever given to unfinished work."""
    hidden = path.name.startswith(".") and path.name.endswith(SUFFIX)
    return hidden or path.name.startswith(MERGED)


def owner_of(path: Path) -> str:
    """`dead`, `alive`, or the name of the machine whose processes cannot be seen from here.

    A name without an owner is dead: no program of this version gives one.
    """
    owner = _OWNED.search(path.name)
    if owner is None:
        return "dead"
    if owner["host"] != os.uname().nodename[:60]:
        return owner["host"]
    try:
        os.kill(int(owner["pid"]), 0)  # sends nothing
    except ProcessLookupError:
        return "dead"
    except (PermissionError, OverflowError):
        pass
    return "alive"
