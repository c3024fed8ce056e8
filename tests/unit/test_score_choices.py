"""The program that scores choice questions: one process serves every set and checkpoint."""

import json
import os
import shutil
import time

import pytest
import torch
from filelock import FileLock
from plumbline.evaluation.choices import ChoiceScore
from plumbline.jobs import devices
from plumbline.models import ahead, checkpoints
from plumbline.records import ChoiceQuestion
from plumbline.scoring.prompts import encode
from plumbline.storage.files import InputError, read_unique_rows, write_json, write_rows
from plumbline.storage.lists import ListedWork
from programs import listed, program

PROMPTS = {"letters": "letters", "plain": "qa"}


def question(name, **changes):
    row = dict(id=name, question="Which?", choices=["Oslo", "Rome", "Paris"], labels=[1, 0, 0])
    return ChoiceQuestion(**row | changes)


def replace(folder):
    """What training anew does to a checkpoint: other weights by its marker."""
    marker = folder / "checkpoint.json"
    write_json(marker, json.loads(marker.read_text()) | {"weights_sha256": "f" * 64})


@pytest.fixture
def project(tiny_base, tmp_path, monkeypatch):
    """A run of two checkpoints and two sets; `run` is the program, for one set and checkpoint."""
    root = tmp_path / "model"
    shutil.copytree(tiny_base, root / "base")
    shutil.copytree(tiny_base, root / "tuned")
    replace(root / "tuned")
    write_rows(tmp_path / "choices/letters.jsonl", [question("q1"), question("q2", domain="id")])
    write_rows(tmp_path / "choices/plain.jsonl", [question("q1", best=0, subject="fjords")])
    works = {
        f"{folder}/choices/{name}.jsonl": ListedWork(
            folder, f"{folder}/checkpoint.json", f"../choices/{name}.jsonl", prompt
        )
        for folder in ("base", "tuned")
        for name, prompt in PROMPTS.items()
    }

    def run(work, code="1", dtype="float32", compat=0):
        program(
            monkeypatch, "score_choices", root=root, works=listed(tmp_path, works), work=work,
            scoring=json.dumps({"dtype": dtype}), harness_compat=compat, device="cpu", threads=1,
            code=code, scores=root / work,
        )  # fmt: skip
        return read_unique_rows(root / work, ChoiceScore)

    run.root, run.works, run.questions = root, works, tmp_path / "choices"
    return run


def loads(monkeypatch):
    """Folders whose models are loaded from now on."""
    folders, load = [], checkpoints.load_model

    def noted(folder, dtype):
        folders.append(folder.name)
        return load(folder, dtype)

    monkeypatch.setattr(checkpoints, "load_model", noted)
    return folders


def none_loaded(monkeypatch):
    def refuse(*_):
        raise AssertionError("a device was taken although the scores lay ready")

    monkeypatch.setattr(devices, "take", refuse)


def test_scores_are_what_they_are_by_definition(project):
    rows = [*project("base/choices/letters.jsonl"), *project("base/choices/plain.jsonl")]
    assert [(row.id, row.domain, row.cluster) for row in rows] == [
        ("letters/q1", "ood", "q1"), ("letters/q2", "id", "q2"), ("plain/q1", "ood", "fjords"),
    ]  # fmt: skip
    assert all(r.metrics["acc"] == r.metrics["acc_norm"] for r in rows if r.task == "letters")
    model = checkpoints.load_model(project.root / "base", "float32").eval()
    tokenizer = checkpoints.load_tokenizer(project.root / "base")
    for row in rows:
        item = encode(tokenizer, question("q"), PROMPTS[row.task])
        for found, tokens in zip(row.logprobs, item.continuations, strict=True):
            with torch.no_grad():
                logits = model(torch.tensor([item.prompt + tokens])).logits[0]
            logp = torch.log_softmax(logits, -1)[len(item.prompt) - 1 :]
            expected = sum(logp[place, token].item() for place, token in enumerate(tokens))
            assert found == pytest.approx(expected, abs=1e-4)


def test_one_process_scores_all_that_lies_ready_and_loads_each_checkpoint_once(
    project, monkeypatch
):
    folders = loads(monkeypatch)
    project("tuned/choices/plain.jsonl")
    assert folders == ["tuned", "base"]
    waiting = list(project.root.glob("store/*/finished/*.jsonl"))
    assert len(waiting) == 3
    outputs = {work for work in project.works if (project.root / work).exists()}
    assert outputs == {"tuned/choices/plain.jsonl"}, "the others are written by their own jobs"

    before = time.time()
    for path in waiting:
        os.utime(path, (before - 900, before - 900))
    none_loaded(monkeypatch)
    for work in set(project.works) - outputs:
        rows = project(work)
        assert {row.task for row in rows} == {work.split("/")[-1].removesuffix(".jsonl")}
        assert (project.root / work).stat().st_mtime >= before - 1, "or it would be made again"
    assert not list(project.root.glob("store/*/finished/*.jsonl"))


def test_what_comes_to_lie_ready_meanwhile_is_scored_too(project, monkeypatch):
    later = project.root / "base/checkpoint.json"
    late, load = later.read_text(), checkpoints.load_model
    later.unlink()

    def noted(folder, dtype):
        later.write_text(late)
        return load(folder, dtype)

    monkeypatch.setattr(checkpoints, "load_model", noted)
    project("tuned/choices/plain.jsonl")
    assert len(list(project.root.glob("store/*/finished/*.jsonl"))) == 3


def test_checkpoints_of_equal_weights_each_find_their_scores(project, monkeypatch):
    """Training that stops early may do so at its end."""
    shutil.copy(project.root / "base/checkpoint.json", project.root / "tuned/checkpoint.json")
    project("base/choices/letters.jsonl")
    none_loaded(monkeypatch)
    assert project("base/choices/plain.jsonl") == project("tuned/choices/plain.jsonl")


def test_what_is_scored_already_is_not_scored_again(project, monkeypatch):
    for work in project.works:
        project(work)
    folders = loads(monkeypatch)
    (project.root / "base/choices/plain.jsonl").unlink()
    project("base/choices/plain.jsonl")
    assert folders == ["base"] and not list(project.root.glob("store/*/finished/*.jsonl"))


def test_scores_of_other_questions_are_made_again_by_one_process(project, monkeypatch):
    for work in project.works:
        project(work)
    write_rows(project.questions / "plain.jsonl", [question("new")])
    later = time.time() + 5
    os.utime(project.questions / "plain.jsonl", (later, later))
    project("base/choices/plain.jsonl")
    none_loaded(monkeypatch)
    assert [row.id for row in project("tuned/choices/plain.jsonl")] == ["plain/new"]


@pytest.mark.parametrize(
    "change", ["questions", "weights", "tokenizer", "prompt", "dtype", "compat", "code"]
)
def test_scores_of_something_else_are_not_believed(project, monkeypatch, change):
    work, settings = "tuned/choices/plain.jsonl", {}
    project("base/choices/letters.jsonl")
    if change == "questions":
        write_rows(project.questions / "plain.jsonl", [question("new")])
    elif change == "weights":
        write_json(project.root / "tuned/checkpoint.json",
                   json.loads((project.root / "tuned/checkpoint.json").read_text())
                   | {"weights_sha256": "e" * 64})  # fmt: skip
    elif change == "tokenizer":
        (project.root / "tuned/chat_template.jinja").write_text("other")
    elif change == "prompt":
        project.works[work] = project.works[work]._replace(setting="letters")
    else:
        settings = {change: {"dtype": "bfloat16", "compat": 1, "code": "2"}[change]}
    none_loaded(monkeypatch)
    with pytest.raises(AssertionError, match="a device was taken"):
        project(work, **settings)
    assert len(list(project.root.glob("store/*/finished/*.jsonl"))) == 3


def test_a_checkpoint_replaced_while_it_is_loaded_is_not_scored(project, monkeypatch):
    """Another job may train it anew; its scores would be kept as those of the weights before."""
    load = checkpoints.load_model

    def replaced(folder, dtype):
        if folder.name == "base":
            replace(folder)
        return load(folder, dtype)

    monkeypatch.setattr(checkpoints, "load_model", replaced)
    with pytest.raises(InputError, match="base: was replaced by another job; run this one again"):
        project("base/choices/plain.jsonl")
    assert not list(project.root.rglob("finished/*.jsonl"))
    assert project("base/choices/plain.jsonl"), "it is what it is now"


def test_what_cannot_be_scored_fails_in_its_own_job_alone(project):
    (project.root / "tuned/model.safetensors").unlink()
    assert project("base/choices/plain.jsonl")
    with pytest.raises(InputError, match="tuned: cannot be loaded"):
        project("tuned/choices/plain.jsonl")


def test_a_killed_job_leaves_what_it_has_made_for_others(project, monkeypatch):
    written = ahead.WorkList.make_ahead

    def killed_after_one(works, asked, make):
        count = 0

        def one_only(name, finished):
            nonlocal count
            if count == 1:
                raise KeyboardInterrupt
            make(name, finished)
            count += 1

        written(works, asked, one_only)

    with monkeypatch.context() as patch:
        patch.setattr(ahead.WorkList, "make_ahead", killed_after_one)
        with pytest.raises(KeyboardInterrupt):
            project("base/choices/letters.jsonl")
    assert (project.root / "base/choices/letters.jsonl").exists()
    assert len(list(project.root.glob("store/*/finished/*.jsonl"))) == 1
    with monkeypatch.context() as patch:
        none_loaded(patch)
        project("base/choices/plain.jsonl")
    project("tuned/choices/plain.jsonl")


def test_what_another_job_is_scoring_is_left_to_it(project):
    works = ahead.WorkList(
        project.root, project.works, settings=["1", "0"],
        store=lambda folder: ahead.store_folder(project.root, folder, "scores-float32"),
    )  # fmt: skip
    finished = works.finished("base/choices/plain.jsonl")
    finished.parent.mkdir(parents=True)
    with FileLock(f"{finished}.lock"):
        project("base/choices/letters.jsonl")
    assert len(list(project.root.glob("store/*/finished/*.jsonl"))) == 2
    assert not finished.exists()


def test_no_more_is_begun_for_others_when_an_hour_is_over(project, monkeypatch):
    monkeypatch.setattr(ahead, "LONGEST", -1)
    project("base/choices/letters.jsonl")
    assert not list(project.root.glob("store/*/finished/*.jsonl"))
