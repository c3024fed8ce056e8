"""What a user sees of a run that succeeds and of one that fails; Snakemake's log keeps the rest."""

from __future__ import annotations

import json
import re

import pytest
from project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project")


def logged(project: Project) -> str:
    (log,) = (project.folder / ".snakemake/log").glob("*.log")
    return log.read_text()


def test_a_run_says_how_far_it_is_and_its_log_says_the_rest(project):
    said = project.snakemake("facts")
    assert re.search(r"^\d\d:\d\d:\d\d 0/2 jobs$", said, re.MULTILINE)
    assert re.search(
        r"^2 of 2 jobs done in \d+ s\. Results are in results/\w+\.$", said, re.MULTILINE
    )
    for unwanted in ("rule build_questions:", "Select jobs", "questions kept", "of 2 steps"):
        assert unwanted not in said, said
    assert "rule build_questions:" in logged(project) and "2 of 2 steps" in logged(project)
    (log,) = (project.folder / "results").rglob("build_questions.log")
    assert "questions kept" in log.read_text()


def test_a_failed_job_tells_what_one_needs_to_go_on(project):
    row = {"relation": "capital", "subject": "Chad", "question": "What?", "answers": []}
    (project.folder / "own.jsonl").write_text(json.dumps(row) + "\n")
    (project.folder / "mine.yaml").write_text("facts: {source: rows, path: 'file:own.jsonl'}\n")
    said = project.snakemake("facts", "--configfile", "mine.yaml", check=False)
    told = re.search(
        r"^build_questions failed: (\S+)\n  cause: (build_questions: .*)\n  log:   (\S+)$",
        said,
        re.MULTILINE,
    )
    assert told and "own.jsonl" in told[2] and "answers" in told[2], said
    assert "CalledProcessError" not in said and "Error in rule" not in said
    assert (project.folder / told[3]).read_text().rstrip().endswith(told[2])
    assert re.search(
        r"^Finished work is kept\. To go on: python -m snakemake --cores 2 facts --configfile mine",
        said,
        re.MULTILINE,
    )


def test_snakemakes_own_words_are_shown_to_who_asks_for_them(project):
    said = project.snakemake("facts", "--printshellcmds")
    assert "rule build_questions:" in said and "questions kept" in said
    assert "0/2 jobs" not in said
