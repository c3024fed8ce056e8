"""The checks of the fault test themselves: each finds what is planted, and nothing else."""

from __future__ import annotations

import json
import shutil

import pytest
from faults import Faults, Kill, damaged
from project import Project

HALVES = {
    "a.json": '{"a": ',
    "a.jsonl": '{"a": 1}\n{"a": ',
    "b.jsonl": '{"a": 1}\n{"a": 2}',  # whole JSON, but for all we know more was to come
    "a.csv": "a,b\n1,2\n3\n",
    "b.csv": "a,b\n1,2",
    "a.html": "<html><p>",
    "a.safetensors": "\x08\0\0\0\0\0\0\0{",
    "finished/a.jsonl": "{",
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_file_is_seen(tmp_path, name):
    file = tmp_path / "store" / name
    file.parent.mkdir(parents=True)
    file.write_text(HALVES[name])
    in_store = name.endswith("jsonl") and "/" not in name  # appended to: may end anywhere
    assert [line.split(":")[0] for line in damaged(tmp_path)] == (
        [] if in_store else [f"store/{name}"]
    )
    other = tmp_path / "tables" / name
    other.parent.mkdir(parents=True)
    shutil.move(file, other)
    assert [line.split(":")[0] for line in damaged(tmp_path)] == [f"tables/{name}"]
    shutil.move(other, other.with_name(f".{other.name}.x.part"))
    assert damaged(tmp_path) == []


def test_a_checkpoint_with_other_weights_is_seen(tiny_base, tmp_path):
    base = shutil.copytree(tiny_base, tmp_path / "base")
    assert damaged(tmp_path) == []
    about = json.loads((base / "checkpoint.json").read_text())
    (base / "checkpoint.json").write_text(json.dumps(about | {"weights_sha256": "0" * 64}))
    assert len(damaged(tmp_path)) == 1


def run_with(tmp_path, log: str, saved=(), trained=()) -> Faults:
    """A run that was killed once, with the log of a training that was started again after it."""
    project = Project.__new__(Project)
    project.folder = tmp_path
    run = Faults(project, 1, [Kill(0, [], dict(saved), set(), dict(trained))])
    folder = run.model / "seed-1/toy"
    folder.mkdir(parents=True)
    (folder / "train.log").write_text(log)
    (folder / "training.json").write_text("{}")
    return run


@pytest.mark.parametrize("log", ["", "toy: going on after step 2 (epoch 1)"])
def test_a_step_that_is_trained_again_is_seen(tmp_path, log):
    with pytest.raises(AssertionError, match="saved to 4"):
        run_with(tmp_path, log, {"seed-1/toy": 4})._follow_up()


def test_a_training_that_goes_on_is_no_fault(tmp_path):
    run = run_with(tmp_path, "toy: going on after step 4 (epoch 2)", {"seed-1/toy": 4})
    run._follow_up()
    assert run.resumed == [("seed-1/toy", 4)]


def test_a_training_that_was_over_and_is_begun_again_is_seen(tmp_path):
    with pytest.raises(AssertionError, match="was trained again"):
        run_with(tmp_path, "toy: final at epoch 2", trained={"seed-1/toy": 0})._follow_up()
