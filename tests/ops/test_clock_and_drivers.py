"""A clock that jumps back, and two drivers started at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from plumbline.generation.engine import Completion
from plumbline.generation.store import Store
from project import Project

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]
SLICK = "results/demo/smollm2-135m/slick"
ANSWER = [Completion(text="x", token_ids=[1], finish="stop")]


def test_a_store_does_not_care_what_time_it_is(tmp_path, monkeypatch):
    """Files are named by the time only to tell them apart; an hour back, and none is lost."""
    Store(tmp_path).append([("a", ANSWER)])
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 3600 * 10**9)
    Store(tmp_path).append([("b", ANSWER)])
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    assert Store(tmp_path).load({"a", "b"}).keys() == {"a", "b"}


def test_progress_does_not_care_what_time_it_is(monkeypatch, caplog):
    from plumbline.jobs.program import Progress

    caplog.set_level("INFO", "plumbline")
    progress = Progress(2, "x", every=0)
    progress.advance(1)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    progress.advance(1)
    assert "2/2 x (100%)" in caplog.text and "-" not in caplog.text.split("left")[-1]


@pytest.fixture
def project(tmp_path):
    """A finished default run."""
    made = Project(tmp_path)
    made.finish()
    return made


def test_results_that_look_older_than_their_inputs(project):
    """The clock jumped back between two jobs. Snakemake knows inputs of up to 1 MB by their content;
    what was made of larger ones it makes again, unless it is told that it is up to date.
    """
    annotations = project.folder / f"{SLICK}/annotations.jsonl"

    def jump():
        written = annotations.stat().st_mtime
        os.utime(annotations, (written - 3600, written - 3600))

    jump()
    assert project.jobs() == {}
    (project.folder / f"{SLICK}/generations.jsonl").write_bytes(b" " * 2_000_000)
    project.snakemake("--touch")
    assert project.jobs() == {}
    jump()
    assert project.jobs(str(annotations.relative_to(project.folder))) == {"annotate": 1}
    project.snakemake("--touch")
    assert project.jobs() == {}


def test_a_second_driver_ends_at_once_and_disturbs_nothing(tmp_path):
    project = Project(tmp_path)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "facts"]
    with (tmp_path / "first.log").open("w") as log:
        first = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        while not list(tmp_path.glob(".snakemake/locks/*")) and first.poll() is None:
            time.sleep(0.01)
        os.killpg(first.pid, 19)  # SIGSTOP: it holds its lock for as long as the second one tries
        try:
            said = project.snakemake("facts", check=False, timeout=120)
        finally:
            os.killpg(first.pid, 18)
        assert first.wait(120) == 0, (tmp_path / "first.log").read_text()
    assert "Directory cannot be locked" in said and "--unlock" in said, said
    assert "Traceback" not in said
    assert project.jobs("facts") == {}
