"""docs/own-data.md as it stands: its files are read, and its commands run until a model is needed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
from project import ROOT, Project

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]
PAGE = (ROOT / "docs/own-data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
COMMANDS = {
    re.search(r"(\w+)\.yaml$", text)[1]: shlex.split(text)
    for kind, _, text in BLOCKS
    if kind == "sh"
}
# The jobs that a command is there for.
USED_BY = {
    "facts": ["prepare_probe", "train"],
    "passages": ["verify_claims", "write_rag_answers"],
    "truths": ["score_choices"],
    "instructions": ["train", "build_flame_pairs"],
    "compare": ["import_tuned"],
}
# What is made of each file before a model is loaded, and how many rows that has.
MADE = {
    "facts": ("own-facts/facts/questions.jsonl", 3),
    "truths": ("own-truths/choices/truths.jsonl", 2),
    "instructions": ("own-instructions/instructions/flame.jsonl", 2),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("own"))
    for _, name, text in BLOCKS:
        if name:
            path = made.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    return made


def test_each_section_has_a_command():
    assert len(COMMANDS) == PAGE.count("\n## ") == 5


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_one_that_runs(project, name):
    program, cores, number, *arguments = COMMANDS[name]
    assert (program, cores, number) == (".venv/bin/snakemake", "--cores", "all")
    said = project.snakemake("--dry-run", *arguments)
    assert "import_model" in said
    assert all(f"rule {rule}:" in said for rule in USED_BY[name])


@pytest.mark.parametrize("name", MADE)
def test_a_file_is_read_as_the_page_says(project, name):
    path, count = MADE[name]
    project.snakemake(f"results/{path}", "--configfile", f"{name}.yaml")
    rows = (project.folder / "results" / path).read_text().splitlines()
    assert len(rows) == count and all(map(json.loads, rows))


def test_a_new_configuration_can_be_planned_and_run(project):
    model = project.folder / "Model-1B"
    model.mkdir()
    (model / "config.json").write_text('{"dtype": "bfloat16"}')
    rows = [f"river,River {n},Where does river {n} end?,Sea {n}" for n in range(120)]
    header = "relation,subject,question,answers"
    (project.folder / "rivers.csv").write_text("\n".join([header, *rows]))
    made = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.new_configuration"),
            *("--model", model.name, "--facts", "rivers.csv"),
        ],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
    )
    assert "Wrote model-1b.yaml" in made.stdout, made.stderr
    assert "Estimated on" in project.snakemake("plan", "--configfile", "model-1b.yaml")
    assert set(project.jobs("--configfile", "model-1b.yaml")) >= {"import_model", "train", "report"}
