"""The harness's tasks of config/paper/tasks ask as the harness's own do, from files as published."""

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from plumbline.evaluation.task_files import files_of
from plumbline.storage.files import InputError

pytestmark = pytest.mark.skipif(find_spec("lm_eval") is None, reason="lm-eval is not installed")
FOLDER = Path(__file__).parents[2] / "config/paper/tasks"
ENDINGS = ["[title] wipes it.", "jumps.", 'it\'s "done".', "sleeps  in."]


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def arc(n, key="B"):
    choices = [{"text": f"it's {n}{label}", "label": label} for label in "ABC"]
    return {
        "id": f"q{n}", "question": {"stem": f"What about {n}?", "choices": choices},
        "answerKey": key,
    }  # fmt: skip


def hellaswag(n, label=2):
    return {
        "ind": n, "activity_label": "Washing [step] cars", "ctx_a": f"A man {n} [title] stands.",
        "ctx_b": "HE then", "ctx": "unused", "split_type": "indomain", "split": "val",
        "endings": ENDINGS, "source_id": f"wikihow~{n}", "label": label,
    }  # fmt: skip


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A few rows of each in a working folder."""
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "arc/ARC-Challenge-Train.jsonl", [arc(n) for n in range(4)])
    lines(tmp_path / "arc/ARC-Challenge-Test.jsonl", [arc(9, "C"), arc(8, "A")])
    lines(tmp_path / "hellaswag/hellaswag_train.jsonl", [hellaswag(n) for n in range(4)])
    lines(tmp_path / "hellaswag/hellaswag_val.jsonl", [hellaswag(7, 3), hellaswag(6, 0)])
    for subject in ("anatomy", "college_biology"):
        for split, rows in (("dev", range(5)), ("test", range(5, 7))):
            path = tmp_path / f"mmlu/{split}/{subject}_{split}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="") as stream:
                csv.writer(stream).writerows(
                    [f'{subject} {n}, "or"\nso? ', "w", "x", "y", "z", "ABCD"[n % 4]] for n in rows
                )
    return tmp_path


def loaded(task, shots=0):
    from plumbline.evaluation.harness import _load, task_manager

    one = _load(task_manager(task, FOLDER, shots), task, FOLDER)
    one.set_fewshot_seed(1)
    return one, list(one.eval_docs)


def asked(one, doc):
    return one.doc_to_text(doc), one.doc_to_choice(doc), int(one.doc_to_target(doc))


def test_arc(published):
    one, docs = loaded("arc_challenge", shots=2)
    choices = ["it's 9A", "it's 9B", "it's 9C"]
    assert asked(one, docs[0]) == ("Question: What about 9?\nAnswer:", choices, 2)
    assert asked(one, docs[1])[2] == 0
    shown = one.fewshot_context(docs[0], 2)
    first, second, last = shown.split("\n\n")
    for example in (first, second):
        n = example[len("Question: What about ")]
        assert example == f"Question: What about {n}?\nAnswer: it's {n}B"
    assert last == "Question: What about 9?\nAnswer:" and first != second


def test_hellaswag(published):
    from datasets import Dataset
    from lm_eval.tasks.hellaswag.utils import process_docs

    one, docs = loaded("hellaswag", shots=2)
    for doc, row in zip(docs, (hellaswag(7, 3), hellaswag(6, 0)), strict=True):
        (theirs,) = process_docs(Dataset.from_list([row]))
        assert asked(one, doc) == (theirs["query"], theirs["choices"], theirs["gold"])
    assert docs[0]["query"] == "Washing cars: A man 7. stands. He then"
    shown = one.fewshot_context(docs[0], 2).split("\n\n")
    assert len(shown) == 3 and shown[0].endswith(' He then it\'s "done".')


def test_mmlu(published):
    one, docs = loaded("mmlu")
    assert len(docs) == 4 and docs[2]["subject"] == "college biology"
    text, choices, key = asked(one, docs[2])
    assert (choices, key) == (["A", "B", "C", "D"], 1)

    def question(n, answer=""):
        return (
            f'college_biology {n}, "or"\nso?\nA. w\nB. x\nC. y\nD. z\nAnswer:{answer}'
        )  # fmt: skip

    examples = [question(n, f" {'ABCD'[n % 4]}") for n in range(5)]
    assert text == "\n\n".join([*examples, question(5)])
    assert one.fewshot_context(docs[2], 0) == (
        "The following are multiple choice questions (with answers) about college biology.\n\n"
        + text
    )


def test_what_is_compared_with_training_files_is_the_question(published):
    from plumbline.evaluation.harness import questions

    found = questions("mmlu", FOLDER, shots=0, limit=1)
    assert [one.question for one in found] == ['anatomy 5, "or"\nso?']
    found = questions("arc_challenge", FOLDER, shots=0, limit=None)
    assert [one.question for one in found] == ["What about 9?", "What about 8?"]
    found = questions("hellaswag", FOLDER, shots=0, limit=1)
    assert [one.question for one in found] == ["Washing cars: A man 7. stands. He then"]


def test_another_file_makes_the_task_another_one(published):
    used = {task: set(files_of(task, FOLDER)) for task in ("arc_challenge", "hellaswag", "mmlu")}
    assert used["arc_challenge"] >= {
        "arc/ARC-Challenge-Train.jsonl", "arc/ARC-Challenge-Test.jsonl"
    }  # fmt: skip
    assert "hellaswag/hellaswag_val.jsonl" in used["hellaswag"]
    assert {"mmlu/dev/anatomy_dev.csv", "mmlu/test/college_biology_test.csv"} <= used["mmlu"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a question,w,x,y,z,E\n", "anatomy_test.csv, row 1: expected a question, four choices"),
        ("a question,w,x,y\n", "anatomy_test.csv, row 1: expected a question, four choices"),
        (None, "mmlu/test has no file <subject>_test.csv"),
    ],
)
def test_files_of_another_shape_are_told(published, text, message):
    for path in (published / "mmlu/test").iterdir():
        path.unlink()
    if text:
        (published / "mmlu/test/anatomy_test.csv").write_text(text)
    with pytest.raises(InputError, match=f"the data of task mmlu cannot be loaded .*{message}"):
        loaded("mmlu")
