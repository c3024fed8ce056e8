"""A planted key is in no log, table, job script or record of a run, though jobs can use it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(300)]
KEY = "sk-planted-0123456789abcdef"
# SLURM's commands that Snakemake may call; where SLURM is installed, none of them is the real one.
SLURM = ("sacct", "sacctmgr", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "sshare")
REFUSES = """#!/bin/sh
# Writes down the call, with the script sbatch is given, and whether jobs would get the key; refuses.
printf '%s\\n' "$0" "$@" >> "$CALLS/calls.txt"
case $0 in */sbatch) cat >> "$CALLS/calls.txt" ;; esac
[ -n "$JUDGE_KEY" ] && touch "$CALLS/has-the-key"
echo "$0: error: no" >&2
exit 1
"""


def holders(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 100
    return [path for path in files if KEY.encode() in path.read_bytes()]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", KEY)
    monkeypatch.setenv("JUDGE_KEY", KEY)
    (tmp_path / "project").mkdir()
    made = Project(tmp_path / "project")
    (made.folder / "judge.yaml").write_text(
        "apeft: null\nverification:\n  kind: endpoint\n  url: http://127.0.0.1:9/v1\n  model: judge\n"
        "  key_env: JUDGE_KEY\n  passages: {format: facts}\n"
    )
    return made


def test_the_search_finds_a_key(project):
    (project.folder / ".snakemake/log").mkdir(parents=True)
    (project.folder / ".snakemake/log/x").write_text(f"token={KEY}")
    assert [path.name for path in holders(project.folder)] == ["x"]


def test_a_run_leaves_a_key_nowhere(project):
    options = ["--configfile", "judge.yaml", "--verbose", "--printshellcmds"]
    said = project.snakemake("facts", *options)
    assert "scripts.build_questions" in said
    said += project.snakemake("--dry-run", *options)
    assert "rule verify_claims" in said and "JUDGE_KEY" in said
    assert KEY not in said
    assert holders(project.folder) == []


def test_a_job_script_holds_the_name_of_a_key_only(project, tmp_path, monkeypatch):
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in SLURM:
        (commands / name).write_text(REFUSES)
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(commands), os.environ["PATH"]]))
    monkeypatch.setenv("CALLS", str(tmp_path))
    pytest.importorskip("snakemake_executor_plugin_slurm")
    (project.folder / "model.yaml").write_text("models: [{name: m, source: 'file:judge.yaml'}]\n")
    said = project.snakemake(
        "results/demo/m/base/checkpoint.json", "--configfile", "judge.yaml", "model.yaml",
        "--verbose", "--executor", "slurm", "--jobs", "1", "--slurm-no-account",
        "--slurm-init-seconds-before-status-checks", "1",
        "--default-resources", "slurm_partition=cpu", check=False,
    )  # fmt: skip
    calls = (tmp_path / "calls.txt").read_text()
    assert f"{commands}/sbatch\n" in calls, said[-3000:]
    assert "import_model" in calls
    assert (tmp_path / "has-the-key").exists()
    assert KEY not in said + calls
    assert holders(project.folder) == []
