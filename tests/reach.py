"""Which programs tests can call: what every machine has and the set-up brings, and no others.

A test that calls anything else would pass or fail by what happens to be installed, so the PATH of
all tests, and of whatever they start, has only `BASE` and the virtual environment's programs. A
test that is about more asks for it by name (`within_reach`, `find`), and is skipped with the reason
where that is not installed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# In every Debian, whatever else is installed (packages of priority "required"), ...
REQUIRED = """
    bash sh which grep egrep sed find xargs awk tar gzip hostname
    basename cat chmod chown cp cut date df dirname du echo env expr false head id ln ls mkdir mktemp
    mv nproc od printf pwd readlink realpath rm rmdir seq sha256sum sleep sort stat tail tee test
    timeout touch tr true tty uname uniq wc whoami
    getent ldconfig ldd lscpu mount umount unshare
"""
# ... and asked for by the README.
NAMED = "git make"
BASE = frozenset([*REQUIRED.split(), *NAMED.split()])
# Where the machine has its programs. Debian leaves the last two out of a user's PATH. Processes that
# tests are shared out to inherit the short PATH, so the machine's is kept beside it.
MACHINE = os.environ.setdefault(
    "PLUMBLINE_MACHINE_PATH",
    os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]),
)


def whole() -> bool:
    """Whether tests that take long are asked for, too."""
    return os.environ.get("PLUMBLINE_WHOLE") == "1"


def linked(programs: Iterable[str]) -> tempfile.TemporaryDirectory:
    """A folder of links to those of the programs that the machine has."""
    folder = tempfile.TemporaryDirectory(prefix="plumbline-reach-")
    for name in programs:
        if found := shutil.which(name, path=MACHINE):
            (Path(folder.name) / name).symlink_to(found)
    return folder


@contextmanager
def base_only() -> Iterator[None]:
    """Within it, the PATH has what a bare machine and the set-up bring."""
    with linked(BASE) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), folder]))
        yield


def find(*programs: str, brought_by: str) -> list[str]:
    """The paths of programs that the set-up does not bring, or a skipped test."""
    found = {name: shutil.which(name, path=MACHINE) for name in programs}
    if missing := [name for name, path in found.items() if path is None]:
        pytest.skip(f"not installed: {', '.join(missing)} ({brought_by})")
    return list(found.values())


@contextmanager
def within_reach(*programs: str, brought_by: str) -> Iterator[None]:
    """Within it, the PATH has these programs too; the test is skipped where one is missing."""
    find(*programs, brought_by=brought_by)
    with linked(programs) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", folder, prepend=os.pathsep)
        yield
