"""The program that generates: what one job's engine answers for another job."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from plumbline.generation import start, store
from plumbline.models import checkpoints
from plumbline.records import Generation, Request, Sampling
from plumbline.storage.files import InputError, read_rows, write_json, write_rows
from programs import listed, program

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

    def run(monkeypatch, work, code="1", lanes=1, **settings):
        argv = [
            *("--code", code),
            *("--root", tmp_path, "--works", listed(tmp_path, works), "--work", work),
            *("--settings", json.dumps(SETTINGS | settings), "--device", "cpu", "--threads", "1"),
            *("--lanes", str(lanes)),
            *("--generations", tmp_path / work / "generations.jsonl"),
        ]
        program(monkeypatch, "generate", *argv)
        return list(read_rows(tmp_path / work / "generations.jsonl", Generation))

    run.root, run.works = tmp_path, works
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


@pytest.mark.parametrize(
    "change", ["requests", "weights", "tokenizer", "end", "settings", "code", "version"]
)
def test_answers_to_something_else_are_not_taken(project, monkeypatch, change):
    project(monkeypatch, "one")
    settings = {}
    if change == "requests":
        row = Request(id="new", prompt="new", purpose="x", sampling=Sampling(max_tokens=3))
        write_rows(project.root / "two.jsonl", [row])
    elif change == "weights":
        marker = project.root / "base" / "checkpoint.json"
        write_json(marker, json.loads(marker.read_text()) | {"weights_sha256": "f" * 64})
    elif change == "tokenizer":
        (project.root / "base" / "chat_template.jinja").write_text("other")
    elif change == "end":
        write_json(project.root / "base" / "generation_config.json", {"eos_token_id": 5})
    elif change == "version":
        monkeypatch.setattr(store, "VERSION", store.VERSION + 1)
    else:
        settings = {"seed": 7} if change == "settings" else {"code": "2"}
    with monkeypatch.context() as patch:
        patch.setattr(start, "Engines", no_engine)
        with pytest.raises(AssertionError, match="engine was prepared"):
            project(patch, "two", **settings)
    assert list(project.root.glob("store/*/finished/*.jsonl")), "kept for the job it was made for"


def test_answers_stored_before_an_engine_was_a_checkpoints_own_are_not_believed(
    project, monkeypatch
):
    """They lie in a folder of the weights, engine, precision and seed alone."""
    answers = project(monkeypatch, "one")
    [new] = project.root.glob("store/*-*")
    old = new.with_name(new.name.rpartition("-")[0])
    old.mkdir()
    texts = [path.read_text() for path in new.glob("*.jsonl")]
    wrong = [json.loads(line) for line in "".join(texts).splitlines()]
    assert len(wrong) == 6
    for entry in wrong:
        entry["completions"][0]["text"] = "wrong"
    (old / "1.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in wrong))
    shutil.rmtree(new)
    assert project(monkeypatch, "one") == answers


def add_tuned(project):
    """A second checkpoint, which is to be asked, too."""
    shutil.copytree(project.root / "base", project.root / "tuned")
    marker = project.root / "tuned" / "checkpoint.json"
    write_json(marker, json.loads(marker.read_text()) | {"weights_sha256": "f" * 64})
    for name in ("a", "b"):
        project.works[name] = ["tuned", "tuned/checkpoint.json", "two.jsonl"]
    project.works |= {"two": project.works.pop("two")}  # the base's last


def test_a_job_that_a_training_waits_for_answers_for_its_own_checkpoint_alone(project, monkeypatch):
    add_tuned(project)
    project.works["one"] += ["", True]
    project(monkeypatch, "one", lanes=2)
    [waiting] = project.root.glob("store/*/finished/*.jsonl")
    assert {row.request for row in read_rows(waiting, Generation)} == {"two0", "two1", "two2"}


def test_each_checkpoint_has_an_engine_of_its_own_and_is_asked_all_at_once(project, monkeypatch):
    add_tuned(project)
    started, load = [], checkpoints.load_model

    def noted(folder, dtype):
        started.append(folder.name)
        return load(folder, dtype)

    monkeypatch.setattr(checkpoints, "load_model", noted)
    project(monkeypatch, "one")
    assert started == ["base", "tuned"]
    # For two, a and b.
    assert len(list(project.root.glob("store/*/finished/*.jsonl"))) == 3


def test_a_checkpoint_replaced_while_its_engine_starts_is_not_answered_for(project, monkeypatch):
    """Another job may train it anew; its answers would be kept as those of the weights before."""
    marker, load = project.root / "base" / "checkpoint.json", checkpoints.load_model

    def replaced(folder, dtype):
        write_json(marker, json.loads(marker.read_text()) | {"weights_sha256": "f" * 64})
        return load(folder, dtype)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "load_model", replaced)
        with pytest.raises(
            InputError, match="base: was replaced by another job; run this one again"
        ):
            project(patch, "one")
    assert not list(project.root.glob("store/*/*.jsonl"))
    project(monkeypatch, "one")


def test_what_a_checkpoint_is_evaluated_on_makes_no_other_checkpoint_of_it(tiny_base, tmp_path):
    """Its results lie in folders within its own, and are written while it answers."""
    folder = Path(shutil.copytree(tiny_base, tmp_path / "base"))
    before = checkpoints.answers_digest(folder)
    (folder / "closed_book").mkdir()
    (folder / "closed_book/generate.log").write_text("starting the engine")
    assert checkpoints.answers_digest(folder) == before
    (folder / "tokenizer_config.json").write_text("{}")
    assert checkpoints.answers_digest(folder) != before
