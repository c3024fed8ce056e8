"""A disk that runs full, and one that cannot be written: clear words, and nothing lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults import damaged, entries
from plumbline.config.training import Recipe
from plumbline.records import Example, Generation, Request, Sampling
from plumbline.storage.files import read_rows, write_rows
from programs import listed
from project import ROOT, Project

pytestmark = pytest.mark.timeout(600)


def mounted(folder: Path, *arguments: str):
    """Mount something at `folder`, which is made; skip where that is not allowed."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *arguments, folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("mounting is not allowed here (it takes root)")


@pytest.fixture
def disk(tmp_path, tiny_base):
    """A disk of its own with a model's folder on it, small enough to fill."""
    folder = tmp_path / "disk"
    mounted(folder, "-t", "tmpfs", "-o", "size=32m", "tmpfs")
    shutil.copytree(tiny_base, folder / "base")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """A file that leaves about `leave` bytes free; remove it to make room."""
    ballast = disk / "ballast.bin"
    with ballast.open("wb", buffering=0) as stream:
        try:
            while shutil.disk_usage(disk).free > leave:
                stream.write(bytes(4096))
        except OSError:
            assert leave == 0
    return ballast


def program(*arguments: object) -> list[str]:
    return [sys.executable, "-m", *map(str, arguments)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"}


def started(command: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, env=environment())


def ends_clearly(ended: subprocess.CompletedProcess) -> None:
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "cannot write: " in ended.stderr.splitlines()[-1], ended.stderr
    assert "Make room" in ended.stderr and "what was finished is kept" in ended.stderr


def test_generation_on_a_full_disk_goes_on_once_there_is_room(disk):
    requests = [
        Request(id=f"r{n}", prompt=f"city {n}", purpose="x", sampling=Sampling(max_tokens=20))
        for n in range(120)
    ]
    write_rows(disk / "requests.jsonl", requests)
    works = {"asked": ["base", "base/checkpoint.json", "requests.jsonl"]}
    settings = {"engine": "transformers", "dtype": "float32", "max_model_len": 64}
    answers = disk / "asked/generations.jsonl"
    generate = program(
        *("scripts.generate", "--root", disk, "--works", listed(disk, works), "--work", "asked"),
        *("--settings", json.dumps(settings), "--device", "cpu", "--threads", 1),
        *("--generations", answers),
    )
    ballast = fill(disk, leave=16 * 1024)
    ends_clearly(started(generate))
    kept = {entry["key"] for _, entry in entries(disk / "store")}
    assert 0 < len(kept) < len(requests)
    assert not answers.exists() and damaged(disk) == []

    ballast.unlink()
    ended = started(generate)
    assert ended.returncode == 0, ended.stderr
    found = re.search(r"starting the engine for (\d+) prompts, (\d+) done", ended.stderr)
    assert (int(found[1]), int(found[2])) == (len(requests) - len(kept), len(kept))
    keys = [entry["key"] for _, entry in entries(disk / "store")]
    assert len(keys) == len(set(keys)) == len(requests)
    assert len(list(read_rows(answers, Generation))) == len(requests)


def test_training_on_a_full_disk_goes_on_from_its_last_whole_saving(disk):
    write_rows(
        disk / "examples.jsonl",
        [Example(id=f"e{n}", prompt=f"capital {n}\n", completion="Oslo") for n in range(8)],
    )
    recipe = Recipe(
        method="sft", learning_rate=0.01, epochs=60, global_batch_size=4, micro_batch_size=4,
        max_length=32, dtype="float32",
    )  # fmt: skip
    training = disk / "seed-1/toy/training.json"
    train = program(
        *("scripts.train", "--root", disk, "--name", "toy", "--seed", 1, "--parent", "base"),
        *("--examples", disk / "examples.jsonl", "--recipe", recipe.model_dump_json()),
        *("--stops", "final", "--max-tokens", 4, "--match", "squad", "--device", "cpu"),
        *("--threads", 1, "--fit", disk / "seed-1/toy/fit.jsonl", "--training", training),
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(train, env=environment(), **pipes) as process:
        trainer = disk / "seed-1/toy/work/trainer"
        while not list(trainer.glob("checkpoint-*/whole")) and process.poll() is None:
            time.sleep(0.01)
        ballast = fill(disk)
        output = process.communicate()[0]
    assert process.returncode == 1, output
    assert "cannot write: " in output.splitlines()[-1] and "Make room" in output, output
    assert not training.exists() and damaged(disk) == []
    last = max(int(path.parent.name.split("-")[1]) for path in trainer.glob("*/whole"))

    ballast.unlink()
    ended = started(train)
    assert ended.returncode == 0, ended.stderr
    assert f"going on after step {last} " in ended.stderr
    assert json.loads(training.read_text())["steps"] == 120
    assert damaged(disk) == []


@pytest.mark.workflow
def test_results_that_cannot_be_written_are_told_of_and_nothing_runs(tmp_path):
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    results = project.folder / "results"
    results.mkdir()
    mounted(results, "--bind", str(results))
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", results], check=True)
        said = project.snakemake("facts", check=False)
    finally:
        subprocess.run(["umount", "-l", results], check=True)
    assert "Read-only file system" in said and str(results.name) in said
    assert "Traceback" not in said, said
    assert list(results.rglob("*")) == []


def test_a_program_says_what_it_could_not_write(tmp_path):
    (tmp_path / "facts.csv").write_text("a,b\n")
    disk = tmp_path / "disk"
    mounted(disk, "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs")
    options = ("--source", f"file:{tmp_path}/facts.csv", "--folder", disk / "facts")
    marker = ("--marker", disk / "facts/source.json")
    try:
        ended = started(program("scripts.fetch_source", *options, *marker))
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    ends_clearly(ended)
    assert f"Read-only file system ({disk / 'facts'})" in ended.stderr
