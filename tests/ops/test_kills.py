"""Mixes and GRATH on a small scale, killed at random moments: nothing is lost, nothing is wrong.

With PLUMBLINE_WHOLE=1 all four methods. PLUMBLINE_KILLS says how often (3; whole 20),
PLUMBLINE_KILL_SEED when.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from faults import OPTIONS, Faults, damaged, entries, new_project
from reach import whole

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(7200)]
KILLS = int(os.environ.get("PLUMBLINE_KILLS", 20 if whole() else 3))
SEED = int(os.environ.get("PLUMBLINE_KILL_SEED", 1))
TIMES = "stages.csv"  # the only table that holds how long things took


@pytest.fixture(scope="module", autouse=True)
def same_sums(taught):
    """The model of both runs, and one thread a process so that sums add up in the same order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLUMBLINE_TAUGHT_MODEL", str(taught))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def killed(tmp_path_factory, tell):
    """A run that was killed `KILLS` times and has then ended."""
    run = Faults(new_project(tmp_path_factory.mktemp("faults") / "killed"), SEED)
    run.run(KILLS)
    tell(run.figures())
    return run


@pytest.fixture(scope="module")
def undisturbed(killed):
    """A run of the same that nobody disturbs, with the samples that the killed one has drawn."""
    project = new_project(killed.project.folder.parent / "undisturbed")
    greedy = greedy_keys(killed.model)
    for path in (killed.model / "store").glob("*-*/*.jsonl"):
        kept = [entry for entry in lines_of(path) if entry[0] not in greedy]
        copy = project.folder / path.relative_to(killed.project.folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("".join(line for _, line in kept), encoding="utf-8")
    run = Faults(project, SEED)
    run.run(0)
    return run


def lines_of(path: Path) -> list[tuple[str, str]]:
    """(key, line) of a store's file."""
    import json

    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [(json.loads(line)["key"], line) for line in lines if line.endswith("\n")]


def greedy_keys(model: Path) -> set[str]:
    """Keys of all requests that are answered without drawing."""
    from plumbline.generation.engine import RenderedPrompt, render
    from plumbline.generation.store import prompt_key
    from plumbline.models.checkpoints import load_tokenizer
    from plumbline.records import Request
    from plumbline.storage.files import read_rows

    tokenizer = load_tokenizer(model / "base")
    files = [f for f in model.rglob("*.jsonl") if '"sampling":{' in f.open().readline()]
    assert files
    return {
        prompt_key(RenderedPrompt(render(tokenizer, row), row.sampling))
        for file in files
        for row in read_rows(file, Request)
        if row.sampling.temperature == 0
    }


def test_it_was_killed_and_finished(killed):
    assert len(killed.kills) == KILLS
    assert {name for kill in killed.kills for name in kill.running}, "nothing was ever running"
    assert damaged(killed.results) == []
    assert killed.project.jobs(*OPTIONS) == {}


def test_no_answer_is_generated_twice_and_none_is_lost(killed):
    found = [(store, entry["key"]) for store, entry in entries(killed.model / "store")]
    assert found and len(found) == len(set(found))
    for kill in killed.kills:
        assert kill.stored <= set(found)


def test_no_finished_job_is_done_again(killed, undisturbed):
    assert killed.finished == undisturbed.finished


def test_weights_and_greedy_answers_are_those_of_an_undisturbed_run(killed, undisturbed):
    """A store's name holds the digest of the weights that answered."""
    greedy = greedy_keys(killed.model)
    ours, theirs = (
        {(store, e["key"]): e for store, e in entries(run.model / "store") if e["key"] in greedy}
        for run in (killed, undisturbed)
    )
    assert ours.keys() == theirs.keys() and ours
    assert ours == theirs


def test_tables_are_those_of_an_undisturbed_run(killed, undisturbed):
    folder = undisturbed.results / "faults/tables"
    names = {path.name for path in folder.glob("*.csv")}
    assert {"metrics.csv", "grath_rounds.csv", "slick_counts.csv", "token_shift.csv"} <= names
    for name in sorted(names - {TIMES}):
        ours = killed.results / "faults/tables" / name
        assert ours.read_bytes() == (folder / name).read_bytes(), name
