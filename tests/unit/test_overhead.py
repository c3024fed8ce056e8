"""What of a run was work with a model, and what was everything around it."""

import os
import sys
import time

import pytest
from measuring import ROOT
from plumbline.jobs import effort, program


@pytest.fixture
def overhead(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tests/benchmarks"))
    import overhead

    return overhead


def job(run, name, seconds, end, passes=None):
    """A finished job as a run has it: its benchmark file and its log."""
    path = run / f"benchmarks/{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:01\t5.0\n")
    os.utime(path, (end, end))
    program, lines = path.stem, ["12:00:00 it: began"]
    if passes is not None:
        lines.append(f"12:00:09 {program}: {passes} {effort.TOLD}")
    log = run / f"model/{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("\n".join(lines) + "\n")


def test_overhead_is_what_is_no_pass_through_a_model(overhead, tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report/index.html").write_text("whole")
    job(tmp_path, "facts/build", 2, end=1002)
    job(tmp_path, "generate/generate", 10, end=1012, passes=4.0)
    job(tmp_path, "train/train", 20, end=1032, passes=15.0)
    job(tmp_path, "train/other/train", 10, end=1030, passes=5.0)
    job(tmp_path, "flame/decide_fact_based", 5, end=1037, passes=1.0)
    job(tmp_path, "score/score_choices", 5, end=1050, passes=4.0)
    rows = {row["variant"]: row["value"] for row in overhead.measure(tmp_path / "work", tmp_path)}
    assert rows == {
        "generate: jobs": 10, "generate: passes": 4, "generate: overhead": pytest.approx(60),
        "train: jobs": 30, "train: passes": 20, "train: overhead": pytest.approx(100 / 3),
        "score: jobs": 10, "score: passes": 5, "score: overhead": pytest.approx(50),
        "programs without a model": 2, "the run": 50,
        # Of 52 s of jobs, ten of them side by side, and 8 s without any.
        "no job runs": 8, "the run: overhead": pytest.approx(100 * (1 - 29 / 60)),
    }  # fmt: skip


def test_a_run_that_is_not_finished_is_told(overhead, tmp_path):
    with pytest.raises(FileNotFoundError, match="is no finished run"):
        overhead.measure(tmp_path, tmp_path)


def test_a_program_tells_its_passes_and_one_without_a_model_tells_none(monkeypatch, caplog):
    caplog.set_level("INFO", logger="plumbline")
    monkeypatch.setattr(sys, "argv", ["it"])
    monkeypatch.setattr(effort, "_total", 0.0)
    program.cli(lambda: None)
    assert effort.told() is None and not caplog.messages

    @effort.passes()
    def read():
        time.sleep(0.06)

    def twice():
        read()
        read()

    program.cli(twice)
    assert caplog.messages[-1].endswith(effort.TOLD)
    assert float(caplog.messages[-1].split()[0]) >= 0.1
