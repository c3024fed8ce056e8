"""Tasks of the LM evaluation harness on a tiny model, and what can be wrong with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from plumbline.evaluation.choice_scores import choice_metrics
from plumbline.evaluation.harness import _items, _without_form, measure, questions, task_manager
from plumbline.evaluation.overlaps import EvaluatedText
from plumbline.models import checkpoints
from plumbline.records import ChoiceQuestion, HarnessItem, Item
from plumbline.scoring.likelihood import score
from plumbline.scoring.prompts import encode
from plumbline.storage.files import InputError, read_unique_rows
from scripts.count_dropped import of_harness

pytest.importorskip("lm_eval", reason="lm-eval is not installed")
QUESTIONS = [
    {"question": f"What is {a} and {b}?", "choices": [f"{a + b}", f"{a}{b} or so", "green"], "gold": 0}
    for a in (3, 5, 20)
    for b in (4, 31)
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one good task and its data."""
    folder = tmp_path_factory.mktemp("tasks")
    data = folder / "sums.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS))
    write(folder, "sums", dataset_kwargs={"data_files": {"test": str(data)}})
    return folder


def write(folder, name, **changes):
    task = {
        "task": name,
        "dataset_path": "json",
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "Question: {{question}}\nAnswer:",
        "doc_to_choice": "choices",
        "doc_to_target": "gold",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
        **changes,
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(task))


def expected(checkpoint, rows=QUESTIONS):
    """Accuracy and acc_norm of the same questions by this project's own engine."""
    model = checkpoints.load_model(checkpoint, "float32").eval()
    tokenizer = checkpoints.load_tokenizer(checkpoint)
    asked = [
        ChoiceQuestion(id="q", question=r["question"], choices=r["choices"], labels=[1, 0, 0])
        for r in rows
    ]
    found = score(model, [encode(tokenizer, one, "qa") for one in asked], 512)
    metrics = [choice_metrics(one, s, False) for one, s in zip(asked, found, strict=True)]
    return [{"acc": m["acc"], "acc_norm": m["acc_norm"]} for m in metrics]


def test_the_program(tiny_base, folder, tmp_path):
    run = subprocess.run(
        [
            sys.executable, "-m", "scripts.run_harness", "--checkpoint", str(tiny_base),
            "--task", "sums", "--folder", str(folder), "--shots", "0", "--limit", "5",
            "--scoring", '{"dtype": "float32", "harness_batch": 4}', "--device", "cpu",
            "--threads", "1", "--domain", "id", "--scores", str(tmp_path / "scores.jsonl"),
        ],
        cwd=Path(__file__).parents[2] / "workflow", capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    rows = read_unique_rows(tmp_path / "scores.jsonl", Item)
    assert [(row.id, row.task, row.domain, row.cluster) for row in rows] == [
        (f"sums/{i}", "sums", "id", f"sums/{i}") for i in range(5)
    ]
    assert [row.metrics for row in rows] == expected(tiny_base)[:5]
    assert "sums: acc " in run.stderr and "5 questions" in run.stderr


def test_shots_are_shown(tiny_base, folder):
    write(
        folder, "shown", doc_to_text="{{question}}", fewshot_split="test",
        dataset_kwargs=yaml.safe_load((folder / "sums.yaml").read_text())["dataset_kwargs"],
    )  # fmt: skip
    model = checkpoints.load_model(tiny_base, "float32").eval()
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    longest = {}
    for shots in (0, 2):
        widths = []
        hook = model.register_forward_pre_hook(lambda m, args, w=widths: w.append(args[0].shape[1]))
        items = measure(
            model, tokenizer, "shown", folder, shots=shots, limit=None, batch_size=8, domain="ood"
        )
        hook.remove()
        assert len(items) == 6
        longest[shots] = max(widths)
    assert longest[2] > 2 * longest[0]


LONG = {"question": "Tell " + "of Oslo " * 300, "choices": ["yes", "no", "so"], "gold": 1}


@pytest.fixture(scope="module")
def long_task(folder):
    """A task with one prompt that is too long for the tiny model's 512 tokens, and one that is not."""
    data = folder / "long.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in (LONG, QUESTIONS[0])))
    data_files = {"data_files": {"test": str(data)}}
    write(folder, "long", dataset_kwargs=data_files)
    write(
        folder, "told", dataset_kwargs=data_files, output_type="generate_until",
        doc_to_choice=None, doc_to_target="{{choices[0]}}",
        metric_list=[{"metric": "exact_match"}], generation_kwargs={"max_gen_toks": 4},
    )  # fmt: skip
    return folder


@pytest.mark.parametrize("task", ["long", "told"])
def test_prompts_that_lose_their_beginning_are_counted(tiny_base, long_task, tmp_path, task):
    run = subprocess.run(
        [
            sys.executable, "-m", "scripts.run_harness", "--checkpoint", str(tiny_base),
            "--task", task, "--folder", str(long_task), "--shots", "0",
            "--scoring", '{"dtype": "float32", "harness_batch": 2}', "--device", "cpu",
            "--threads", "1", "--domain", "id",
            "--scores", str(tmp_path / f"m/seed-2/grath.r1/harness/{task}.jsonl"),
        ],
        cwd=Path(__file__).parents[2] / "workflow", capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert f"{task}: 1 of 2 prompts are longer than the model reads" in run.stderr
    path = tmp_path / f"m/seed-2/grath.r1/harness/{task}.jsonl"
    assert [row.prompt_cut for row in read_unique_rows(path, HarnessItem)] == [True, False]
    assert list(of_harness(path, tmp_path)) == [
        {"stage": "harness", "model": "m", "seed": "2", "item": f"{task}: grath.r1",
         "reason": "prompt_cut", "n": 1},
    ]  # fmt: skip


def test_what_does_not_fit_at_all(tiny_base, long_task):
    data = long_task / "endless.jsonl"
    data.write_text(json.dumps(LONG | {"choices": ["Oslo " * 600, "no", "so"]}) + "\n")
    write(long_task, "endless", dataset_kwargs={"data_files": {"test": str(data)}})
    told = yaml.safe_load((long_task / "told.yaml").read_text())
    write(
        long_task, "talks", **(told | {"task": "talks", "generation_kwargs": {"max_gen_toks": 600}})
    )
    model = checkpoints.load_model(tiny_base, "float32").eval()
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    settings = {"shots": 0, "limit": None, "batch_size": 2, "domain": "ood"}
    with pytest.raises(InputError, match=r"a choice alone has .* at most 512: ' Oslo Oslo"):
        measure(model, tokenizer, "endless", long_task, **settings)
    with pytest.raises(InputError, match=r"task talks: .* Lower max_gen_toks"):
        measure(model, tokenizer, "talks", long_task, **settings)


@pytest.mark.parametrize("task", ["sums", "told"])
def test_no_number_is_no_answer(tiny_base, long_task, task):
    model = checkpoints.load_model(tiny_base, "float32").eval()
    model.get_output_embeddings().weight.data[3, 0] = float("nan")
    with pytest.raises(InputError, match=rf"{tiny_base}: in float32 its logits are no numbers"):
        measure(
            model, checkpoints.load_tokenizer(tiny_base), task, long_task,
            shots=0, limit=2, batch_size=2, domain="ood",
        )  # fmt: skip


def asked(folder, name, limit=None):
    return questions(name, folder, shots=0, limit=limit)


def test_what_a_task_asks(folder, tmp_path):
    run = subprocess.run(
        [
            sys.executable, "-m", "scripts.list_harness_questions", "--task", "sums", "--folder",
            str(folder), "--shots", "0", "--limit", "5", "--questions", str(tmp_path / "asked"),
        ],
        cwd=Path(__file__).parents[2] / "workflow", capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    rows = read_unique_rows(tmp_path / "asked", EvaluatedText)
    assert [(row.id, row.question, row.choices) for row in rows] == [
        (f"sums/{n}", one["question"], one["choices"]) for n, one in enumerate(QUESTIONS[:5])
    ]


@pytest.mark.parametrize("query", ["question", "{{question}}"])
def test_a_task_says_itself_what_is_compared(folder, query):
    data = yaml.safe_load((folder / "sums.yaml").read_text())["dataset_kwargs"]
    write(
        folder, "own", dataset_kwargs=data, should_decontaminate=True,
        doc_to_decontamination_query=query, doc_to_text="Well: {{question}} Eh?",
    )  # fmt: skip
    assert [row.question for row in asked(folder, "own")] == [q["question"] for q in QUESTIONS]


def test_choices_in_the_place_of_the_prompt_are_the_question(folder):
    """As in WinoGrande: a prompt for each choice, one end for all."""
    data = yaml.safe_load((folder / "sums.yaml").read_text())["dataset_kwargs"]
    write(
        folder, "blanks", dataset_kwargs=data, doc_to_text="gold", doc_to_target="{{question}}",
    )  # fmt: skip
    (first, *_) = asked(folder, "blanks", 1)
    assert first.question == "\n".join(first.choices) == "7\n34 or so\ngreen"


def test_a_text_to_be_continued_has_no_choices(folder):
    data = yaml.safe_load((folder / "sums.yaml").read_text())["dataset_kwargs"]
    write(
        folder, "free", dataset_kwargs=data, output_type="generate_until", doc_to_choice=None,
        doc_to_target="{{choices[0]}}", metric_list=[{"metric": "exact_match"}],
    )  # fmt: skip
    assert {tuple(row.choices) for row in asked(folder, "free")} == {()}


@pytest.mark.parametrize(
    ("prompts", "left"),
    [
        (["Read.\nQ: a b?\nA:", "Read.\nQ: a c?\nA:"], ["a b?", "a c?"]),
        (["What is a?", "What is b?"], ["What is a?", "What is b?"]),
        (["Note: one\nno", "Hint: two"], ["Note: one\nno", "Hint: two"]),
        (["Q: the same", "Q: the same"], ["Q: the same", "Q: the same"]),
        (["Q: alone\nA:"], ["Q: alone\nA:"]),
        ([], []),
    ],
)
def test_what_all_prompts_share_is_their_form(prompts, left):
    assert _without_form(prompts) == left


def test_a_task_that_is_not_there(folder):
    with pytest.raises(InputError, match=r"`task: summs`; tasks that it has: .*sums"):
        task_manager("summs", folder, 0)


def test_data_from_a_hub(folder):
    write(folder, "far", dataset_path="someone/far_away")
    with pytest.raises(InputError, match=r"far\.yaml: dataset_path: someone/far_away is on a hub"):
        task_manager("far", folder, 0)


def test_data_that_is_not_there(tiny_base, folder):
    write(folder, "lost", dataset_kwargs={"data_files": {"test": "nowhere.jsonl"}})
    with pytest.raises(
        InputError, match=r"the data of task lost cannot be loaded .*nowhere\.jsonl"
    ):
        measure(None, None, "lost", folder, shots=0, limit=None, batch_size=1, domain="ood")


def test_shots_that_the_task_rules_out(folder):
    write(folder, "bare", num_fewshot=0)
    task_manager("bare", folder, 0)
    with pytest.raises(InputError, match=r"bare\.yaml: num_fewshot: 0 rules out the 3 shots"):
        task_manager("bare", folder, 3)


def sample(doc, filter="none", **metrics):
    return {"doc_id": doc, "filter": filter, "metrics": list(metrics), "arguments": [], **metrics}


def test_what_is_a_number_for_each_question():
    found = _items(
        [sample(1, acc=True, pair=(1, 2)), sample(0, acc=0.5), sample(0, "strict", acc=1)],
        "t",
        "id",
    )
    assert [(item.id, item.metrics) for item in found] == [
        ("t/0", {"acc": 0.5, "acc,strict": 1.0}),
        ("t/1", {"acc": 1.0}),
    ]
    with pytest.raises(InputError, match="none of its metrics is a number for each question"):
        _items([sample(0, pair=(1, 2))], "t", "id")
    with pytest.raises(InputError, match="acc of question 7 is nan"):
        _items([sample(7, acc=float("nan"))], "t", "id")
