"""The workflow under `--use-conda`: with conda where there is one, else with a stand-in for it.

The stand-in really solves, installs and runs pip, over a channel made of this machine's Python; it
is not conda, and the tests' names tell which of the two was used.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conda_lab import channel
from project import ROOT, Project
from reach import MACHINE

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1200)]
CONDA = shutil.which("conda", path=MACHINE)
LAB = Path(__file__).with_name("conda_lab")
TOOLS = ("py-rattler==0.26.0", "pyyaml==6.0.3")
VERSION = "3.12"  # of Python, in envs/
QUESTIONS = "results/demo/facts/questions.jsonl"
# Those of a run on the CPU.
ENVIRONMENTS = {path.name for path in (ROOT / "envs").glob("*.yaml")} - {"generate-gpu.yaml"}


def interpreter() -> Path | None:
    """A Python of the environments' version on this machine."""
    name = f"python{VERSION}"
    here = [
        shutil.which(name, path=MACHINE),
        *Path.home().glob(f".pyenv/versions/{VERSION}.*/bin/{name}"),
    ]
    for candidate in filter(None, here):
        if not subprocess.run(
            [candidate, "-c", "import ensurepip"], capture_output=True
        ).returncode:
            return Path(candidate)
    return None


def stand_in(folder: Path) -> dict[str, str]:
    """Set the stand-in up in `folder`; returns the variables that make Snakemake find it."""
    python = interpreter()
    if python is None:
        pytest.skip(f"neither conda nor a Python {VERSION} to make the stand-in's channel of")
    subprocess.run([sys.executable, "-m", "venv", folder / "tools"], check=True)
    tools = folder / "tools/bin/python"
    install = [tools, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *TOOLS]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the stand-in's packages cannot be installed: {done.stderr[-300:]}")
    channel.build(folder / "channel", python)
    code = (
        "import asyncio, os, rattler.index, sys;"
        "asyncio.run(rattler.index.index_fs(sys.argv[1])); os._exit(0)"
    )
    subprocess.run([tools, "-c", code, folder / "channel"], check=True)
    commands = folder / "root/bin"
    commands.mkdir(parents=True)
    (commands / "conda").write_text(f"#!{tools}\n{(LAB / 'conda.py').read_text()}")
    (commands / "conda").chmod(0o755)
    shutil.copy(LAB / "activate", commands)
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    return {"PATH": path, "CONDA_LAB_CHANNEL": str(folder / "channel")}


class Run:
    """A project whose facts were built under conda, and the environment that they were built in."""

    def __init__(self, folder: Path):
        self.project = Project(folder)
        self.first = self.facts()
        [self.environment] = (folder / ".snakemake/conda").glob("*_")

    def facts(self, *more: str, check: bool = True) -> str:
        return self.project.snakemake("facts", "--use-conda", *more, check=check, timeout=900)

    def again(self) -> str:
        """Build the questions once more, which must fail; returns what was said."""
        said = self.facts("--forcerun", "build_questions", check=False)
        assert "build_questions failed: " in said, said[-3000:]
        assert not (self.project.folder / QUESTIONS).exists()
        return said


@pytest.fixture(scope="module", params=["conda" if CONDA else "stand-in"])
def run(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        if CONDA:
            patch.setenv("PATH", str(Path(CONDA).parent), prepend=os.pathsep)
        else:
            for name, value in stand_in(tmp_path_factory.mktemp("lab")).items():
                patch.setenv(name, value)
        made = Run(tmp_path_factory.mktemp("conda"))
        yield made
        shutil.rmtree(made.project.folder / ".snakemake/conda")  # gigabytes


def test_a_target_is_made_in_the_environment_of_its_rule(run):
    assert "Creating conda environment envs/orchestrate.yaml" in run.first
    lines = (run.project.folder / QUESTIONS).read_text().splitlines()
    assert len(lines) > 1000
    packages = {path.name for path in run.environment.glob("lib/*/site-packages/*.dist-info")}
    text = (run.project.folder / "envs/orchestrate.yaml").read_text()
    for name, version in re.findall(r"- ([\w-]+)==(\S+)", text):
        assert f"{name.replace('-', '_')}-{version}.dist-info" in packages
    assert not [name for name in packages if name.startswith(("snakemake", "torch"))]
    assert "Nothing to be done" in run.facts()


def test_a_program_stops_where_the_activation_failed(run):
    marker, away = run.environment / "conda-meta", run.environment / "away"
    marker.rename(away)
    try:
        said = run.again()
    finally:
        away.rename(marker)
    assert "build_questions: runs in " in said
    assert f"{sys.prefix}, not in the environment of envs/orchestrate.yaml" in said


def test_a_program_stops_where_a_package_is_not_the_pinned_one(run):
    [numpy] = run.environment.glob("lib/*/site-packages/numpy-*.dist-info")
    other = numpy.rename(numpy.with_name("numpy-1.0.dist-info"))
    [pyarrow] = run.environment.glob("lib/*/site-packages/pyarrow-*.dist-info")
    away = pyarrow.rename(pyarrow.with_suffix(".away"))
    try:
        said = run.again()
    finally:
        other.rename(numpy)
        away.rename(pyarrow)
    assert re.search(
        r"build_questions: \S+_ is not as envs/orchestrate.yaml says. It wants "
        r"numpy \d[\d.]+ \(found: 1\.0\), pyarrow \d[\d.]+ \(found: none\)\. Delete \S+_ and start",
        said,
    )
    run.facts()  # put right, it works again
    assert (run.project.folder / QUESTIONS).exists()


@pytest.mark.e2e
@pytest.mark.whole
@pytest.mark.timeout(5400)
def test_the_whole_small_run_in_all_environments(run):
    """The real model, every rule in an environment of its own kind: 15 minutes, 20 GB of disk."""
    settings = ["--use-conda", "--configfile", str(ROOT / "tests/e2e/small.yaml")]
    said = run.project.snakemake(*settings, timeout=5000)
    made = {name for name in ENVIRONMENTS if f"Creating conda environment envs/{name}" in said}
    assert made == ENVIRONMENTS - {"orchestrate.yaml"}  # which is there from the first target
    assert (run.project.folder / "results/small/report/index.html").stat().st_size > 100_000
    assert "Nothing to be done" in run.project.snakemake(*settings)
