"""The program that generates: what one job's engine answers for another job."""

import json
import os
import shutil
import time

import pytest
from plumbline.files import read_rows, write_json, write_rows
from plumbline.generation import start
from plumbline.records import Generation, Request, Sampling
from scripts import generate

SETTINGS = {"engine": "transformers", "dtype": "float32", "max_model_len": 128, "max_num_seqs": 4}


@pytest.fixture
def project(tiny_base, tmp_path):
    """A model's folder with one checkpoint and two pieces of work; `run` is the program."""
    shutil.copytree(tiny_base, tmp_path / "base")
    works = {name: ["base", "base/checkpoint.json", f"{name}.jsonl"] for name in ("one", "two")}
    for name in works:
        requests = [
            Request(
                id=f"{name}{i}", prompt=f"{name} {i}", purpose="x", sampling=Sampling(max_tokens=3)
            )
            for i in range(3)
        ]
        write_rows(tmp_path / f"{name}.jsonl", requests)

    def run(monkeypatch, work, **settings):
        argv = [
            *("--root", tmp_path, "--works", json.dumps(works), "--work", work),
            *("--settings", json.dumps(SETTINGS | settings), "--device", "cpu", "--threads", "1"),
            *("--generations", tmp_path / work / "generations.jsonl"),
        ]
        monkeypatch.setattr("sys.argv", ["generate", *map(str, argv)])
        generate.main()
        return list(read_rows(tmp_path / work / "generations.jsonl", Generation))

    run.root = tmp_path
    return run


def no_engine(*_, **__):
    raise AssertionError("an engine was prepared although the answers lay ready")


def test_a_job_finds_what_another_jobs_engine_answered_for_it(project, monkeypatch):
    project(monkeypatch, "one")
    waiting = list(project.root.glob("store/*/finished/*.jsonl"))
    assert len(waiting) == 1
    assert not (project.root / "two" / "generations.jsonl").exists(), "only its own job writes it"

    before = time.time()
    os.utime(waiting[0], (before - 900, before - 900))
    with monkeypatch.context() as patch:
        patch.setattr(start, "Engines", no_engine)
        answers = project(patch, "two")
    assert [answer.request for answer in answers] == ["two0", "two1", "two2"]
    assert not waiting[0].exists()
    written = project.root / "two" / "generations.jsonl"
    assert written.stat().st_mtime >= before - 1, "as new as its job, or it would be made again"

    written.unlink()
    assert project(monkeypatch, "two") == answers, "the store still has them"


@pytest.mark.parametrize("change", ["requests", "weights", "settings"])
def test_answers_to_something_else_are_not_taken(project, monkeypatch, change):
    project(monkeypatch, "one")
    settings = {}
    if change == "requests":
        row = Request(id="new", prompt="new", purpose="x", sampling=Sampling(max_tokens=3))
        write_rows(project.root / "two.jsonl", [row])
    elif change == "weights":
        marker = project.root / "base" / "checkpoint.json"
        write_json(marker, json.loads(marker.read_text()) | {"weights_sha256": "f" * 64})
    else:
        settings = {"seed": 7}
    with monkeypatch.context() as patch:
        patch.setattr(start, "Engines", no_engine)
        with pytest.raises(AssertionError, match="engine was prepared"):
            project(patch, "two", **settings)
    assert list(project.root.glob("store/*/finished/*.jsonl")), "kept for the job it was made for"
