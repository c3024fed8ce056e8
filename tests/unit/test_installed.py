"""Programs stop in an environment that is not theirs, and run everywhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from plumbline.jobs import installed

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {"bake": "oven", "eat": "eat"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of two programs, and packages that can be imported as `found` says."""
    (tmp_path / "envs").mkdir()
    (tmp_path / "requirements").mkdir()
    (tmp_path / "prefix").mkdir()
    for name, lines in {
        "oven": ["flour[fine]==1.5", "bakers-yeast==2.0"],
        "eat": ["knife==3"],
        "eat-gpu": ["knife==3", "fork==4"],
    }.items():
        pip = "".join(f"      - {line}\n" for line in lines)
        text = f"# knife==9 in a remark\ndependencies:\n  - pip:\n      # stone==1\n{pip}"
        (tmp_path / f"envs/{name}.yaml").write_text(text)
    (tmp_path / "envs/eat.post-deploy.sh").write_text("python -m pip install --no-deps spoon==5\n")
    (tmp_path / "requirements/cpu.txt").write_text(
        "# list\nflour==1.5\nbakers-yeast==2.0\nknife==3\n"
    )
    monkeypatch.setattr(installed, "ROOT", tmp_path)
    monkeypatch.setattr(installed, "ENVIRONMENTS", PROGRAMS)

    def found(**versions):
        folder = tmp_path / "packages"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, version in versions.items():
            (folder / f"{name}-{version}.dist-info").mkdir()
        monkeypatch.setattr(sys, "path", [str(tmp_path / "none"), str(folder)])
        return tmp_path

    return found


def in_conda(folder: Path, program: str, device="cpu", active="prefix", outside="snakemake"):
    variables = {installed.OUTSIDE: str(folder / outside), "PLUMBLINE_DEVICE": device}
    if active:
        variables["CONDA_PREFIX"] = str(folder / active)
    return installed.problem(program, variables, str(folder / "prefix"))


def in_venv(folder: Path, program: str, stamp: str = "123 45 requirements/cpu.txt Python 3.11.7"):
    (folder / "prefix/setup.txt").write_text(stamp)
    return installed.problem(program, {installed.OUTSIDE: ""}, str(folder / "prefix"))


def test_right_versions_are_no_problem(project):
    folder = project(flour="1.5", Bakers_Yeast="2.0+local", knife="0")
    assert in_conda(folder, "bake") is None
    assert in_venv(folder, "bake") is None


def test_wrong_and_missing_packages_are_named_with_file_and_remedy(project):
    folder = project(flour="1.50")
    prefix = folder / "prefix"
    wants = "It wants bakers-yeast 2.0 (found: none), flour 1.5 (found: 1.50)."
    assert in_conda(folder, "bake") == (
        f"{prefix} is not as envs/oven.yaml says. {wants} Delete {prefix} and start again."
    )
    assert in_venv(folder, "bake") == (
        f"{prefix} is not as requirements/cpu.txt says. {wants} "
        f"Run 'make clean setup' and start again."
    )


def test_only_what_the_program_needs_is_asked_for(project):
    folder = project(knife="3")
    assert "bakers-yeast" in in_venv(folder, "bake")
    assert in_venv(folder, "eat") is None  # the list has no fork and no spoon
    assert in_venv(folder, "bak") is None  # a program that no rule runs
    assert in_conda(folder, "bak", active=None) is None


def test_the_device_chooses_the_environment_and_scripts_install_too(project):
    folder = project(knife="3")
    assert "envs/eat.yaml says. It wants spoon 5 (found: none)." in in_conda(folder, "eat")
    on_gpu = in_conda(folder, "eat", device="cuda")
    assert "envs/eat-gpu.yaml says. It wants fork 4 (found: none)." in on_gpu
    assert "flour" in in_conda(folder, "bake", device="cuda")


def test_of_two_versions_the_one_that_is_imported_counts(project, tmp_path, monkeypatch):
    folder = project(knife="3")
    (tmp_path / "first/knife-2.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), *sys.path])
    assert "knife 3 (found: 2)" in in_venv(folder, "eat")


@pytest.mark.parametrize(
    "where",
    [{"active": None}, {"active": "other"}, {"outside": "prefix"}],
    ids=["nothing active", "another active", "snakemake's own, itself active"],
)
def test_an_environment_that_was_not_activated(project, where):
    folder = project(flour="1.5", bakers_yeast="2.0")  # the versions alone would be right
    said = in_conda(folder, "bake", **where)
    assert said.startswith(f"runs in {folder / 'prefix'}, not in the environment of envs/oven.yaml")


def test_setups_that_are_not_finished_and_environments_of_others(project):
    folder = project()
    assert "'make setup' has not finished" in in_venv(folder, "bake", "unfinished")
    assert in_venv(folder, "bake", "1 2 requirements/gone.txt Python 3.11") is None
    (folder / "prefix/setup.txt").unlink()
    assert installed.problem("bake", {}, str(folder / "prefix")) is None


def test_a_program_asks_before_it_imports(tmp_path):
    """The program's own imports would fail: this Python has no packages at all."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    done = subprocess.run(
        [tmp_path / "bare/bin/python", "-m", "scripts.annotate"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow"), installed.OUTSIDE: sys.prefix,
             "CONDA_PREFIX": str(tmp_path / "bare")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"annotate: {tmp_path}/bare is not as envs/orchestrate.yaml says")
    assert "pydantic" in done.stderr and "Traceback" not in done.stderr
