"""The commands that the pages give for a folder that a killed Snakemake left locked."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest
from project import ROOT, Project

pytestmark = pytest.mark.workflow
FOUND = [
    (str(page.relative_to(ROOT)), command)
    for page in sorted(ROOT.glob("docs/**/*.md"))
    for command in re.findall(r"`(\.venv/bin/snakemake [^`\n]*--unlock)`", page.read_text("utf-8"))
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("locked"))


def test_each_page_that_speaks_of_it_has_a_command():
    assert {page for page, _ in FOUND} == {
        str(page.relative_to(ROOT))
        for page in ROOT.glob("docs/**/*.md")
        if "unlock" in page.read_text(encoding="utf-8")
    }


@pytest.mark.parametrize(("page", "command"), FOUND, ids=[page for page, _ in FOUND])
def test_it_unlocks_as_it_is_written(project, page, command):
    locks = project.folder / ".snakemake/locks"
    locks.mkdir(parents=True, exist_ok=True)
    for kind in ("input", "output"):
        (locks / f"0.{kind}.lock").write_text("results/sources\n")
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command.removeprefix(".venv/bin/"))],
        cwd=project.folder,
        text=True,
        timeout=300,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    assert not list(locks.glob("*.lock"))
