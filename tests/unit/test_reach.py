"""Tests can call what a bare machine and the set-up bring, and nothing that happens to be there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import reach

FOUND = shutil.which  # by the PATH that tests are run with


def test_only_what_the_set_up_brings_is_found():
    environment, base = map(Path, os.environ["PATH"].split(os.pathsep))
    assert environment == Path(sys.executable).parent
    assert {path.name for path in base.iterdir()} <= reach.BASE
    assert FOUND("sh") and FOUND("snakemake") and FOUND("git")
    for name in ("gcc", "sbatch", "sacct", "chromium", "conda", "curl", "dpkg-query"):
        assert FOUND(name) is None, name


def test_a_program_that_is_called_all_the_same_is_noticed(tmp_path):
    """As `sacct` was: by something that a test starts, on a machine that has it."""
    with pytest.MonkeyPatch.context() as patch:
        (tmp_path / "sacct").write_text("#!/bin/sh\necho installed by hand\n")
        (tmp_path / "sacct").chmod(0o755)
        patch.setattr(reach, "MACHINE", os.pathsep.join([str(tmp_path), reach.MACHINE]))
        asked = ["bash", "-c", "sacct"]
        with reach.base_only():
            told = subprocess.run(asked, capture_output=True, text=True)
            assert told.returncode == 127 and "sacct: command not found" in told.stderr
            with reach.within_reach("sacct", brought_by="nobody"):
                assert subprocess.check_output(asked, text=True) == "installed by hand\n"
            assert subprocess.run(asked, capture_output=True).returncode == 127


def test_what_is_not_installed_is_a_reason_to_skip():
    with (
        pytest.raises(pytest.skip.Exception) as skipped,
        reach.within_reach("sh", "no-such-thing", brought_by="nobody"),
    ):
        pass
    assert skipped.value.msg == "not installed: no-such-thing (nobody)"


def test_every_debian_has_the_base():
    """By the priority of the packages that its programs are of.

    Of what several packages offer (awk) Debian has one in any case; which one is the owner's choice.
    """
    (query,) = reach.find("dpkg-query", brought_by="Debian")
    found = {name: shutil.which(name, path=reach.MACHINE) for name in reach.REQUIRED.split()}
    assert all(found.values()), found
    offered = {path for path in found.values() if os.path.islink(path)}
    offered = {path for path in offered if os.readlink(path).startswith("/etc/alternatives/")}
    paths = {os.path.realpath(path) for path in set(found.values()) - offered}
    # A package's list may have the paths from before /bin became a part of /usr.
    paths |= {path.removeprefix("/usr") for path in paths}
    told = subprocess.run([query, "--search", *paths], capture_output=True, text=True).stdout
    packages = {line.split(":")[0] for line in told.splitlines() if " by " not in line}
    form = "--showformat=${Package} ${Priority}\\n"
    told = subprocess.check_output([query, "--show", form, *packages], text=True)
    assert len(packages) > 10 and {line.split()[1] for line in told.splitlines()} == {"required"}


def test_a_process_that_tests_are_shared_out_to_knows_the_machines_programs():
    environment = os.environ | {"PYTHONPATH": str(Path(reach.__file__).parent)}
    asked = [sys.executable, "-c", "import reach; print(reach.MACHINE)"]
    assert subprocess.check_output(asked, env=environment, text=True).strip() == reach.MACHINE
    assert os.environ["PATH"] not in reach.MACHINE
