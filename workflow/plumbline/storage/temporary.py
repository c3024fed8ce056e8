"""Names of temporary files and folders that say which process owns them.

A killed process cannot remove what it had begun. The machine and process number in the name show later
whether it is still at work; the next run never takes such a file for a result.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

SUFFIX = ".part"
MERGED = "merged-"  # weights that generation merges while its engine runs
_OWNED = re.compile(r"@(?P<host>[^@/]+)@(?P<pid>\d+)@")


def prefix(name: str) -> str:
    """The beginning of a temporary name for something that will be called `name`."""
    return f"{name}.@{os.uname().nodename[:60]}@{os.getpid()}@"


def is_temporary(path: Path) -> bool:
    """Whether the name is one that only unfinished work gets."""
    hidden = path.name.startswith(".") and path.name.endswith(SUFFIX)
    return hidden or path.name.startswith(MERGED)


def owner_of(path: Path) -> str:
    """`dead`, `alive`, or the name of the machine, if its processes cannot be seen from here.

    A name without an owner is dead: no program of this version makes such names.
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
