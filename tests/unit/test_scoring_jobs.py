"""One process scores what lies ready for all scoring jobs of a run, of whatever kind."""

import json
import os
import shutil
import time
from importlib import import_module

import pytest
from filelock import FileLock
from plumbline.jobs import command_line, devices
from plumbline.models import ahead, checkpoints, loaded, scoring_jobs
from plumbline.models.scoring_jobs import ScoringJob
from plumbline.records import ChoiceQuestion, Question
from plumbline.storage.files import InputError, write_json, write_rows

SCORING = ' --scoring "$PLUMBLINE_SCORING" --device cpu --threads 1'
FACT = dict(relation="capital", subject="Norway", answers=["Oslo"], split="test", domain="id")


def choice_question(name):
    return ChoiceQuestion(id=name, question="Which?", choices=["Oslo", "Rome"], labels=[1, 0])


class Run:
    """Two checkpoints, each scored on a choice set, and P(True) of the first."""

    def __init__(self, base, folder, monkeypatch):
        self.root, self.model, self.codes = folder / "run", folder / "run/model", {}
        self.questions, self.facts = folder / "run/q.jsonl", folder / "run/facts.jsonl"
        for name in ("base", "tuned"):
            shutil.copytree(base, self.model / name)
        self.replace("tuned", "f")
        write_rows(self.questions, [choice_question("q1")])
        write_rows(self.facts, [Question(id="f", question="The capital of Norway?", **FACT)])
        monkeypatch.setenv("PLUMBLINE_RESULTS", str(self.root))
        monkeypatch.setenv("PLUMBLINE_SCORING", json.dumps({"dtype": "float32"}))
        self.programs = {
            "base": "score_choices",
            "tuned": "score_choices",
            "true": "measure_p_true",
        }
        loaded.clear()

    def replace(self, folder, digit):
        """What training anew does to a checkpoint: other weights by its marker."""
        marker = self.model / folder / "checkpoint.json"
        write_json(marker, json.loads(marker.read_text()) | {"weights_sha256": digit * 64})

    def output(self, name):
        return self.model / f"{name}.jsonl"

    def job(self, name):
        folder = self.model / ("base" if name == "true" else name)
        if name == "true":
            command = f"--questions {self.facts} --checkpoint {folder}{SCORING} --found"
        else:
            command = (
                f"--questions {self.questions} --name set --prompt qa --checkpoint {folder}"
                f"{SCORING} --harness-compat 0 --scores"
            )
        read = self.facts if name == "true" else self.questions
        return ScoringJob(
            f"python -m scripts.{self.programs[name]} {command} {self.output(name)} 2>&1 | tee log",
            [str(read), str(folder / "checkpoint.json")],
            str(self.output(name)),
            self.codes.get(name, "1"),
        )

    def __call__(self, name):
        """Run a job of the run as its rule does."""
        loaded.clear()  # a process of its own
        rows = list(map(self.job, self.programs))
        (self.root / "lists").mkdir(exist_ok=True)
        listed = self.root / "lists/scoring_jobs.json"
        if not listed.exists() or json.loads(listed.read_text()) != list(map(list, rows)):
            listed.write_text(json.dumps(rows))
        main = import_module(f"scripts.{self.programs[name]}").main
        scoring_jobs.call(main, self.job(name).words())
        return self.output(name).read_text()

    def waiting(self):
        return sorted(self.model.glob("store/scores/*.jsonl"))


@pytest.fixture
def run(tiny_base, tmp_path, monkeypatch):
    return Run(tiny_base, tmp_path, monkeypatch)


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


def test_one_process_scores_all_that_lies_ready_and_loads_each_checkpoint_once(run, monkeypatch):
    folders = loads(monkeypatch)
    run("true")
    assert folders == ["base", "tuned"]
    assert len(run.waiting()) == 2
    assert not run.output("base").exists(), "it is written by its own job"
    old = time.time() - 900
    for path in run.waiting():
        os.utime(path, (old, old))
    none_loaded(monkeypatch)
    for name in ("base", "tuned"):
        assert len(run(name).splitlines()) == 1
        assert run.output(name).stat().st_mtime > old + 60, "or it would be made again"
    assert not run.waiting()


def test_a_job_gives_the_same_alone_and_made_ahead(run, monkeypatch):
    run("tuned")
    ahead = [run("base"), run("true")]
    shutil.rmtree(run.model / "store")
    alone = []
    for name in ("base", "true"):
        run.output(name).unlink()
        words = run.job(name).words()
        command_line.call(import_module(f"scripts.{run.programs[name]}").main, words)
        alone.append(run.output(name).read_text())
    assert alone == ahead


def test_a_job_is_not_taken_for_the_one_that_makes_what_it_reads(run):
    """Planted: the facts of P(True) are the output of a job that comes first in the list."""
    first = run.job("base")._replace(output=str(run.facts))
    job = run.job("true")
    (run.root / "lists").mkdir(parents=True)
    (run.root / "lists/scoring_jobs.json").write_text(json.dumps([first, job]))
    read = run.facts.read_text()
    scoring_jobs.call(import_module("scripts.measure_p_true").main, job.words())
    assert run.output("true").exists() and run.facts.read_text() == read


def test_by_hand_a_program_does_its_own_work_alone(run):
    run("base")
    for path in run.waiting():
        path.unlink()
    words = [word.replace("base.jsonl", "mine.jsonl") for word in run.job("base").words()]
    scoring_jobs.call(import_module("scripts.score_choices").main, words)
    assert run.output("mine").read_text() == run.output("base").read_text()
    assert not run.waiting()


def test_what_is_scored_already_is_not_scored_again(run, monkeypatch):
    for name in run.programs:
        run(name)
    run.output("base").unlink()
    folders = loads(monkeypatch)
    run("base")
    assert folders == ["base"] and not run.waiting()


def test_what_comes_to_lie_ready_meanwhile_is_scored_too(run, monkeypatch):
    marker, load = run.model / "tuned/checkpoint.json", checkpoints.load_model
    late = marker.read_text()
    marker.unlink()

    def noted(folder, dtype):
        marker.write_text(late)
        return load(folder, dtype)

    monkeypatch.setattr(checkpoints, "load_model", noted)
    run("base")
    assert len(run.waiting()) == 2


@pytest.mark.parametrize("change", ["questions", "weights", "tokenizer", "dtype", "code"])
def test_scores_of_something_else_are_not_believed(run, monkeypatch, change):
    run("base")
    if change == "questions":
        write_rows(run.questions, [choice_question("new")])
    elif change == "weights":
        run.replace("tuned", "e")
    elif change == "tokenizer":
        (run.model / "tuned/chat_template.jinja").write_text("other")
    elif change == "dtype":
        monkeypatch.setenv("PLUMBLINE_SCORING", json.dumps({"dtype": "bfloat16"}))
    else:
        run.codes["tuned"] = "2"
    none_loaded(monkeypatch)
    with pytest.raises(AssertionError, match="a device was taken"):
        run("tuned")
    assert len(run.waiting()) == 2


def test_a_checkpoint_replaced_while_it_is_scored_is_told(run, monkeypatch):
    """Another job may train it anew; its scores would be kept as those of the weights before."""
    load = checkpoints.load_model

    def replaced(folder, dtype):
        run.replace("base", "d")
        return load(folder, dtype)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "load_model", replaced)
        with pytest.raises(InputError, match=r"base\.jsonl: one of its inputs was replaced"):
            run("base")
    assert not run.waiting() and not run.output("base").exists()
    assert run("base"), "it is what it is now"


@pytest.mark.parametrize("mistake", [InputError, RuntimeError])
def test_what_cannot_be_scored_fails_in_its_own_job_alone(run, monkeypatch, mistake):
    load = checkpoints.load_model

    def failing(folder, dtype):
        if folder.name == "tuned":
            raise mistake("no such thing")
        return load(folder, dtype)

    monkeypatch.setattr(checkpoints, "load_model", failing)
    assert run("base") and len(run.waiting()) == 1
    with pytest.raises(mistake, match="no such thing"):
        run("tuned")


def test_a_job_killed_while_it_works_for_others_finds_its_own_scores(run, monkeypatch):
    with monkeypatch.context() as patch:

        def killed(*_):
            raise KeyboardInterrupt

        patch.setattr(scoring_jobs, "_make_others", killed)
        with pytest.raises(KeyboardInterrupt):
            run("base")
    none_loaded(monkeypatch)
    assert run("base")


def test_what_another_job_is_scoring_is_left_to_it(run):
    waiting = run.job("tuned").waiting()
    waiting.parent.mkdir(parents=True)
    with FileLock(f"{waiting}.lock"):
        run("base")
    assert len(run.waiting()) == 1 and not waiting.exists()


def test_no_more_is_begun_for_others_when_an_hour_is_over(run, monkeypatch):
    monkeypatch.setattr(scoring_jobs.ahead, "LONGEST", -1)
    assert run("base") and not run.waiting()


def test_a_job_that_reads_no_file_is_ready_until_it_is_done(tmp_path):
    """A judge by nearness to references reads none."""
    output = tmp_path / "helpfulness.json"
    assert ahead.is_ready([], output)
    output.touch()
    assert not ahead.is_ready([], output)
    assert ahead.is_ready([], output, begun=output.stat().st_mtime + 1)
