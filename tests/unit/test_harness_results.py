"""Our figures in the harness's format: its keys, its kinds of values, and its own table of them."""

import json

import pytest
from plumbline.evaluation.harness import measure, task_manager
from plumbline.evaluation.harness_results import harness_results
from plumbline.evaluation.tables import Metric
from plumbline.models import checkpoints
from plumbline.tables import write_table
from programs import listed, program
from test_harness import write

pytest.importorskip("lm_eval", reason="lm-eval is not installed")
SHOTS = 2


def row(task, metric, value, n=6, domain="ood", **changes):
    fields = {
        "model": "m", "seed": "1", "checkpoint": "grath.r1", "task": task, "domain": domain,
        "split": "test", "category": "All", "metric": metric, "value": str(value), "n": str(n),
    }  # fmt: skip
    return {**fields, **changes}


@pytest.fixture(scope="module")
def theirs(tiny_base, tmp_path_factory):
    """The harness's own results of a task, and the rows that we have of the same."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    folder = tmp_path_factory.mktemp("tasks")
    rows = [{"question": f"{n}?", "choices": ["yes", f"no {n}"], "gold": n % 2} for n in range(6)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    files = {"data_files": {"test": str(folder / "rows.jsonl")}}
    write(folder, "pick", dataset_kwargs=files)
    model = checkpoints.load_model(tiny_base, "float32")
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    found = simple_evaluate(
        model=HFLM(pretrained=model, tokenizer=tokenizer, batch_size=2),
        tasks=["pick"],
        num_fewshot=SHOTS,
        task_manager=task_manager("pick", folder, SHOTS),
        bootstrap_iters=0,
        log_samples=False,
    )
    items = measure(
        model, tokenizer, "pick", folder, shots=SHOTS, limit=None, batch_size=2, domain="ood"
    )
    measured = {
        metric: sum(item.metrics[metric] for item in items) / len(items)
        for metric in items[0].metrics
    }
    return found, [row("pick", metric, value) for metric, value in measured.items()]


def document(rows, **shots):
    return harness_results(rows, shots, name="m/grath.r1", folder="results/r/m", device="cpu")


def test_keys_and_kinds_of_values_are_the_harnesss_own(theirs):
    found, rows = theirs
    ours = document(rows, pick=SHOTS)
    assert ours.keys() - found.keys() == {"model_source", "model_name", "model_name_sanitized"}
    assert ours["results"] == found["results"]
    for key in ("n-shot", "higher_is_better", "n-samples"):
        assert ours[key] == found[key], key
    for key in ("group_subtasks", "versions"):
        assert ours[key].keys() - {"pick"} == found[key].keys() - {"pick"}
    assert ours["configs"]["pick"].keys() <= found["configs"]["pick"].keys()
    [metric, *_] = ours["configs"]["pick"]["metric_list"]
    assert metric.keys() >= found["configs"]["pick"]["metric_list"][0].keys()
    assert ours["config"].keys() <= found["config"].keys()


def test_the_harness_tabulates_them(theirs):
    from lm_eval.utils import make_table

    _, rows = theirs
    rows = [*rows, row("long_form", "refuted", 0.25), row("long_form", "words", 31.5)]
    table = make_table(document(rows, pick=SHOTS))
    assert "|pick" in table.replace(" ", "") and "0.25" in table and "31.50" in table


def test_what_is_no_figure_of_the_checkpoint_is_left_out():
    rows = [
        row("closed_book", "em", 0.5, domain="id", n=10),
        row("closed_book", "em", 0.25, domain="ood", n=8),
        row("closed_book", "em", 0.9, domain="id", category="Unknown"),
        row("closed_book", "em_vs_base", -0.1, domain="id"),
        row("facts", "mc1", 0.5),
        row("facts", "chance_mc1", 0.25),
        row("facts", "prior_mc1", 0.25),
    ]
    made = document(rows, closed_book_id=4, closed_book=4)
    assert made["group_subtasks"] == {
        "closed_book": ["closed_book_id", "closed_book_ood"], "facts": [],
    }  # fmt: skip
    assert made["n-samples"]["closed_book_ood"] == {"original": 8, "effective": 8}
    assert made["n-shot"] == {"closed_book_id": 4, "closed_book_ood": 4, "facts": 0}
    metrics = {
        task: {key: value for key, value in values.items() if isinstance(value, float)}
        for task, values in made["results"].items()
    }
    assert metrics == {
        "closed_book_id": {"em,none": 0.5}, "closed_book_ood": {"em,none": 0.25},
        "facts": {"mc1,none": 0.5},
    }  # fmt: skip


def test_a_file_a_checkpoint(tmp_path, monkeypatch):
    run = tmp_path / "small"
    base = {"seed": "0", "checkpoint": "base"}
    rows = [row("facts", "mc1", 0.5), row("facts", "mc1", 0.25, **base)]
    rows.append(row("facts", "mc1", 0.5, seed=""))  # over all seeds
    write_table(run / "metrics.csv", Metric, rows)
    there = [
        {"model": "m", "seed": 0, "checkpoint": "base", "folder": "m/base"},
        {"model": "m", "seed": 1, "checkpoint": "grath.r1", "folder": "m/seed-1/grath.r1/final"},
    ]
    program(
        monkeypatch, "export_harness", root=run, checkpoints=listed(tmp_path, there),
        metrics=run / "metrics.csv", shots='{"facts": 3}', device="cpu", out=run / "lm_eval",
    )  # fmt: skip
    of_base, tuned = (
        json.loads((run / f"lm_eval/{one['folder']}/results_small.json").read_text())
        for one in there
    )
    assert of_base["results"]["facts"]["mc1,none"] == 0.25 and of_base["n-shot"] == {"facts": 3}
    assert tuned["results"]["facts"]["mc1,none"] == 0.5
    assert tuned["model_name"] == "m/grath.r1/seed-1"
    assert tuned["config"]["model_args"] == {"pretrained": str(run / "m/seed-1/grath.r1/final")}
