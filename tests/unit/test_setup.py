"""What `make setup` says before it fetches anything, and with what it installs; nothing is fetched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# In place of Python and uv: they write down how they were called. A venv gets the same Python.
PYTHON = """#!/bin/bash
case "$1 $2" in
  "-c import sys"*) echo 3.11 ;;
  "-c import ensurepip"*) ;;
  "-V "*) echo "Python 3.11.9" ;;
  "-m venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  *) echo "${0##*/} $*" >>calls; cat >/dev/null ;;
esac
"""
UV = '#!/bin/bash\necho "uv $*" >>calls\n'


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "workflow").mkdir()
    (tmp_path / "requirements").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "workflow/setup.sh", tmp_path / "workflow")
    for name in ("cpu", "gpu", "portable"):
        (tmp_path / f"requirements/{name}.txt").write_text("# made\nnumpy==2.3.5\ntorch==2.13.0\n")
    program(tmp_path, "python3", PYTHON)
    return tmp_path


def program(checkout: Path, name: str, text: str) -> None:
    path = checkout / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def setup(checkout: Path, name: str = "cpu", **variables: str) -> subprocess.CompletedProcess:
    """Run it in a checkout; `calls` are those of the programs above that install."""
    path = f"{checkout}/bin:/usr/bin:/bin"
    return subprocess.run(
        ["bash", "workflow/setup.sh", f"requirements/{name}.txt"],
        cwd=checkout,
        env={"PATH": path, "HOME": os.environ["HOME"], **variables},
        capture_output=True,
        text=True,
    )


def calls(checkout: Path) -> list[str]:
    file = checkout / "calls"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cpu", r"for a CPU .* 2 packages, 0\.8 GB to download, 3\.4 GB of disk"),
        ("gpu", r"for CUDA .* some GB to download"),
        ("portable", r"without vLLM .* PyTorch the largest to download"),
    ],
)
def test_what_is_fetched_is_said_first(checkout, name, says):
    done = setup(checkout, name)
    assert done.returncode == 0, done.stderr
    first, *others = done.stderr.splitlines()
    assert re.search(says, first)
    assert others[-1] == "setup: ready"
    torch, rest, _ = calls(checkout)
    assert torch.endswith(f"--constraint requirements/{name}.txt torch==2.13.0")
    assert rest.endswith(f"--no-deps --requirement requirements/{name}.txt")
    assert torch.startswith("python -m pip install") and rest.startswith("python -m pip install")


def test_a_finished_one_is_not_made_again(checkout):
    assert setup(checkout).returncode == 0
    before = calls(checkout)
    again = setup(checkout)
    assert (again.returncode, again.stderr, calls(checkout)) == (0, "", before)


def test_uv_installs_the_same_with_the_build_that_fits(checkout):
    program(checkout, "uv", UV)
    assert setup(checkout, INSTALLER="uv").returncode == 0
    torch, rest, _ = calls(checkout)
    for call in (torch, rest):
        assert call.startswith("uv pip install") and "--torch-backend cpu" in call
        assert "--python .venv/bin/python" in call
    assert torch.endswith("--constraint requirements/cpu.txt torch==2.13.0")


@pytest.mark.parametrize(("backend", "given"), [("cu130", "--torch-backend cu130"), ("", "")])
def test_the_build_of_pytorch_that_uv_takes_may_be_chosen(checkout, backend, given):
    program(checkout, "uv", UV)
    assert setup(checkout, INSTALLER="uv", UV_TORCH_BACKEND=backend).returncode == 0
    assert given in calls(checkout)[0] and ("--torch-backend" in calls(checkout)[0]) == bool(given)


@pytest.mark.parametrize(
    ("installer", "says"),
    [("uv", "there is no uv on the PATH"), ("conda", "expected pip or uv")],
)
def test_an_installer_that_is_not_there_is_told_before_anything_is_removed(
    checkout, installer, says
):
    done = setup(checkout, INSTALLER=installer)
    assert done.returncode == 1 and says in done.stderr
    assert not (checkout / ".venv").exists()


def make(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_help_lists_every_target_that_pages_name():
    listed = set(re.findall(r"^  make (\S+) ", make("help").stdout, flags=re.MULTILINE))
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {
        name
        for page in pages
        for name in re.findall(
            r"(?:^ {4}|`)make ([a-z][a-z-]*)", page.read_text(), flags=re.MULTILINE
        )
    }
    assert {"demo", "new", "study"} <= named
    assert named <= listed


def test_a_device_that_is_none_is_refused():
    done = make("setup", "DEVICE=gpu")
    assert done.returncode == 2 and "expected cpu, cuda or mps" in done.stderr
