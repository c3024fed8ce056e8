"""MC1 and MC2 of TruthfulQA, question by question: this engine against the evaluation harness.

The harness runs its own task files (prompt, choices and measures are its own) on local data.
"""

import json
import math
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from plumbline.evaluation.choice_scores import choice_metrics
from plumbline.evaluation.harness import measure
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.records import ChoiceQuestion
from plumbline.scoring.likelihood import score
from plumbline.scoring.prompts import encode
from plumbline.sources.fetching import fetch
from plumbline.sources.source import Source
from real_data import published

ROOT = Path(__file__).parents[2]
ODD = 2  # questions in which a true answer comes after a false one
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(find_spec("lm_eval") is None, reason="lm-eval is not installed"),
]


def is_odd(row):
    labels = list(row["mc2_targets"].values())
    return labels != sorted(labels, reverse=True)


@pytest.fixture(scope="module")
def rows():
    """The odd questions and ten with few choices, to be quick, of which some are answered right."""
    every = json.loads((published("truthfulqa") / "truthfulqa/mc_task_v1.json").read_text())
    odd = [row for row in every if is_odd(row)]
    assert len(odd) == ODD
    plain = sorted(
        (row for row in every if not is_odd(row)),
        key=lambda row: (len(row["mc1_targets"]) + len(row["mc2_targets"]), row["question"]),
    )
    return odd + plain[10:20]


@pytest.fixture(scope="module")
def questions(rows):
    found = []
    for number, row in enumerate(rows):
        choices, labels = list(row["mc2_targets"]), list(row["mc2_targets"].values())
        (best,) = (choice for choice, label in row["mc1_targets"].items() if label)
        assert {c for c, label in row["mc1_targets"].items() if not label} == {
            c for c, label in zip(choices, labels, strict=True) if not label
        }
        found.append(
            ChoiceQuestion(
                id=str(number), question=row["question"], choices=choices, labels=labels,
                best=choices.index(best),
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The embedded experiment's model and its tokenizer, in float64 so that 1e-6 means something."""
    folder = tmp_path_factory.mktemp("model")
    (about,) = yaml.safe_load((ROOT / "config/config.yaml").read_text())["models"]
    path = fetch(Source.parse(about["source"], about["sha256"]), folder / "source")
    import_model(path, folder / "base", "base", dtype="bfloat16", source=about["source"])
    model = checkpoints.load_model(folder / "base", "float32").double().eval()
    return model, checkpoints.load_tokenizer(folder / "base")


@pytest.fixture(scope="module")
def harness(rows, model, tmp_path_factory):
    """Values of the harness by task, in the order of the questions."""
    folder = tmp_path_factory.mktemp("tasks")
    data = folder / "questions.json"
    data.write_text(json.dumps([
        {
            "question": row["question"],
            **{
                part: {"choices": list(row[part]), "labels": list(row[part].values())}
                for part in ("mc1_targets", "mc2_targets")
            },
        }
        for row in rows
    ]))  # fmt: skip
    theirs = Path(find_spec("lm_eval").submodule_search_locations[0]) / "tasks/truthfulqa"
    found = {}
    for task in ("mc1", "mc2"):
        (folder / f"{task}.yaml").write_text(yaml.safe_dump({
            "include": str(theirs / f"truthfulqa_{task}.yaml"),
            "task": task,
            "tag": None,
            "dataset_path": "json",
            "dataset_name": None,
            "dataset_kwargs": {"data_files": {"validation": str(data)}},
        }))  # fmt: skip
        items = measure(*model, task, folder, shots=0, limit=None, batch_size=16, domain="ood")
        found[task] = [item.metrics["acc"] for item in items]
    return found


@pytest.fixture(scope="module")
def scores(model, questions):
    items = [encode(model[1], question, "truthfulqa") for question in questions]
    return score(model[0], items, 4096)


def test_the_harness_agrees_on_every_question(questions, scores, harness):
    ours = [
        choice_metrics(question, found, False)
        for question, found in zip(questions, scores, strict=True)
    ]
    differences = {
        metric: [abs(a[metric] - b) for a, b in zip(ours, harness[metric], strict=True)]
        for metric in ("mc1", "mc2")
    }
    for metric, found in differences.items():
        print(f"{metric}: largest difference {max(found):.1e} over {len(found)} questions")
    assert max(differences["mc1"]) == 0
    assert max(differences["mc2"]) < 1e-6
    assert 0 < sum(harness["mc1"]) < len(questions)
    assert len({round(value, 4) for value in harness["mc2"]}) > len(questions) / 2


def test_its_older_rule_differs_only_where_a_true_answer_comes_late(questions, scores, harness):
    """The harness's task version 2 took all after the first false choice for false."""
    older = [
        choice_metrics(question, found, True)
        for question, found in zip(questions, scores, strict=True)
    ]
    assert [one["mc1"] for one in older] == harness["mc1"]
    differences = [b - a["mc2"] for a, b in zip(older, harness["mc2"], strict=True)]
    late = []  # probability of the true answers that come after a false one
    for question, found in zip(questions, scores, strict=True):
        p = [math.exp(s) for s in found]
        start = question.labels.index(0)
        late.append(
            sum(map(math.prod, zip(p[start:], question.labels[start:], strict=True))) / sum(p)
        )
    assert [bool(one) for one in late] == [True] * ODD + [False] * (len(questions) - ODD)
    assert max(late) > 1e-6 and differences == pytest.approx(late, abs=1e-6)
