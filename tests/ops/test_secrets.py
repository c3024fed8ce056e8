"""A planted key is in no log, table, job script or record of a run, though jobs can use it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(300)]
KEY = "sk-planted-0123456789abcdef"
SBATCH = """#!/bin/sh
# Writes down the call, its standard input and whether jobs would get the key; refuses the job.
{ printf '%s\\n' "$@"; cat; } >> "$CALLS/calls.txt"
[ -n "$JUDGE_KEY" ] && touch "$CALLS/has-the-key"
echo 'sbatch: error: no' >&2
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
    (commands / "sbatch").write_text(SBATCH)
    (commands / "sbatch").chmod(0o755)
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
    calls = tmp_path / "calls.txt"
    assert calls.exists(), said[-3000:]
    assert "import_model" in calls.read_text()
    assert (tmp_path / "has-the-key").exists()
    assert KEY not in said + calls.read_text()
    assert holders(project.folder) == []
