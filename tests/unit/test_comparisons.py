"""Every checkpoint against others: pairing, seeds, and the programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plumbline.evaluation.comparisons import compare, others_of
from plumbline.evaluation.contrasts import Contrast
from plumbline.evaluation.estimation import LEAST_CLUSTERS
from plumbline.evaluation.exact_answers import Answer
from plumbline.evaluation.grid import HEADLINE, TaskDomain, measure_of
from plumbline.names import unfiltered
from plumbline.report.tables import LEADING
from plumbline.storage.files import InputError, write_rows
from programs import csv_rows, listed, program
from report_grand_data import grid_of, item, items


def compared(columns, parents):
    rows = compare("m", grid_of(columns), parents, confidence=0.95)
    return {(row.checkpoint, row.against, row.task, row.domain): row for row in rows}


@settings(max_examples=25)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_the_other_way_round_has_the_same_p_and_the_mirrored_difference(values):
    other = [0.0] * len(values)
    one = compared({"base": {0: items(other)}, "a": {1: items(values)}}, {"base": "", "a": "base"})
    two = compared({"base": {0: items(values)}, "a": {1: items(other)}}, {"base": "", "a": "base"})
    (one,), (two,) = one.values(), two.values()
    assert one.difference == -two.difference
    assert (one.low is None) == (len(values) < LEAST_CLUSTERS)
    if one.low is not None:
        assert one.p == pytest.approx(two.p)
        assert (one.low, one.high) == pytest.approx((-two.high, -two.low))


def test_values_differences_and_counts_by_hand():
    base = [*items([1, 0, 0, 1]), *items([0, 0], domain="ood")]
    tuned = [*items([1, 1, 0, 1]), *items([0, 1], domain="ood")]
    found = compared({"base": {0: base}, "x": {1: tuned[::-1]}}, {"base": "", "x": "base"})
    row = found["x", "base", "t", "id"]
    assert (row.value, row.other_value, row.difference, row.n) == (0.75, 0.5, 0.25, 4)
    assert (row.other, row.metric, row.seeds) == ("base", "mc1", 1)
    assert (row.low, row.high, row.p) == (None, None, None)  # too few items
    assert found["x", "base", "t", "ood"].difference == 0.5


def test_values_are_means_over_seeds_and_a_parent_is_taken_at_the_same_seed():
    base = {0: items([0, 0, 0, 0])}
    tuned = {1: items([1, 1, 0, 0]), 2: items([1, 0, 0, 0])}
    (row,) = compared({"base": base, "x": tuned}, {"base": "", "x": "base"}).values()
    assert (row.value, row.n, row.seeds) == (3 / 8, 4, 2)
    found = compared(
        {"base": base, "x": tuned, "y": {2: items([1, 0, 0, 0]), 1: items([1, 1, 0, 1])}},
        {"base": "", "x": "base", "y": "x"},
    )
    assert found["y", "parent", "t", "id"].difference == 1 / 8


def test_what_is_undefined_on_one_side_is_not_compared():
    base = {0: items([0.5, None, 0.5, None], metric="f1")}
    tuned = {1: items([1, 1, None, None], metric="f1")}
    parents = {"base": "", "x": "base", "y": "base"}
    silent = {1: items([None] * 4, metric="f1")}
    found = compared({"base": base, "x": tuned, "y": silent}, parents)
    assert list(found) == [("x", "base", "t", "id")]
    row = found["x", "base", "t", "id"]
    assert (row.value, row.other_value, row.n, row.low, row.high) == (1, 0.5, 1, None, None)
    # At either seed where both have a value.
    tuned[2] = items([0, None, 1, 1], metric="f1")
    row = compared({"base": base, "x": tuned}, parents)["x", "base", "t", "id"]
    assert (row.value, row.other_value, row.n) == (0.75, 0.5, 2)


def test_every_checkpoint_and_task_is_compared_and_nothing_corrected_or_called_a_difference():
    better, same = [1] * 8, [0] * 8
    columns = {
        "base": {0: items(same) + items(same, task="u")},
        "x": {1: items(better) + items(same, task="u")},
        "y": {1: items(better) + items(better, task="u")},
    }
    found = compared(columns, {"base": "", "x": "base", "y": "x"})
    least = found["x", "base", "t", "id"].p
    assert least < 0.002
    assert {key: row.p for key, row in found.items()} == {
        ("x", "base", "t", "id"): least,
        ("x", "base", "u", "id"): 1,
        ("y", "base", "t", "id"): least,
        ("y", "base", "u", "id"): least,
        ("y", "parent", "t", "id"): 1,
        ("y", "parent", "u", "id"): least,
    }
    assert not {"significant", "p_corrected", "verdict"} & set(
        type(found.popitem()[1]).model_fields
    )


def test_who_is_compared_with_whom():
    there = ["base", "grath.r1", "grath.r2", "grath-unknown-0.r2", "flame-unknown-12.5.sft"]
    assert list(others_of("base", "", there)) == []
    assert list(others_of("grath.r1", "base", there)) == [("base", "base")]
    assert list(others_of("grath-unknown-0.r2", "grath-unknown-0.r1", there)) == [
        ("base", "base"),
        ("parent", "grath-unknown-0.r1"),
        ("full", "grath.r2"),
    ]
    assert list(others_of("flame-unknown-12.5.sft", "base", there)) == [("base", "base")]
    assert unfiltered("flame-unknown-12.5.sft.dpo") == "flame.sft.dpo"
    assert unfiltered("mix.unknown-50.early_stop") == "mix.unknown-50.early_stop"
    assert unfiltered("base") == "base"


def test_a_task_stands_for_one_measure_the_one_that_the_report_shows_first():
    assert measure_of(["acc", "acc_norm", "mc1", "mc2"]) == "mc1"
    assert measure_of(["claims", "f1", "words"]) == "f1"
    assert measure_of(["bleu", "rouge"]) == "bleu"
    assert [first for first, *_ in LEADING] == list(HEADLINE)
    # A measure that only some items have, as MC1 without a best answer, still is the task's.
    mixed = [item("0", 1, metric="acc"), item("1", 1, metric="mc1")]
    assert grid_of({"base": {0: mixed}})[TaskDomain("t", "id")].metric == "mc1"


def test_a_win_rates_baseline_wins_one_half():
    columns = {
        "base": {0: items([1])},
        "x": {1: items([1]) + items([1, 1, 0, None], task="win_rate", metric="win")},
    }
    grids = grid_of(columns, baseline="base")
    rows = list(compare("m", grids, {"base": "", "x": "base"}, confidence=0.95))
    (row,) = [row for row in rows if row.task == "win_rate"]
    assert (row.value, row.other_value, row.n) == (pytest.approx(2 / 3), 0.5, 3)
    assert not any(key[2] == "win_rate" for key in compared(columns, {"base": "", "x": "base"}))


def test_other_items_are_an_error():
    with pytest.raises(InputError, match="x was measured on item t/id/1, base was not"):
        grid_of({"base": {0: items([1])}, "x": {1: items([1, 0])}})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of three checkpoints on disk: the folder, and its checkpoints as JSON rows."""
    root, rng = tmp_path_factory.mktemp("run"), np.random.default_rng(2)
    rows = []
    for name, parent, seed in [
        ("grath.r2", "grath.r1", 1),
        ("base", "", 0),
        ("grath.r1", "base", 1),
    ]:
        right = rng.random((2, 12)) < 0.5
        answers = [
            Answer(id=f"{d}{n}", task="closed_book", question=f"{d}{n}",
                   relation="r", cluster=f"s{n // 2}", domain=d, category="Unknown",
                   output="", abstained=False, metrics={"em": float(right[k, n])})
            for k, d in enumerate(("id", "ood")) for n in range(12)
        ]  # fmt: skip
        write_rows(root / name / "closed_book/answers.jsonl", answers)
        write_rows(root / name / "choices/facts.jsonl", items(right[0] * 1.0, task="facts"))
        rows.append(dict(model="m", seed=seed, checkpoint=name, parent=parent, folder=name,
                         scored=["closed_book/answers.jsonl", "choices/facts.jsonl"]))  # fmt: skip
    return root, listed(root, rows)


def tabulate(monkeypatch, run, name, out, *files, **more):
    root, rows = run
    program(
        monkeypatch, name, root=root, checkpoints=rows, evaluation='{"confidence": 0.9}',
        **{file: out / f"{file}.csv" for file in files}, **more,
    )  # fmt: skip
    return {file: csv_rows(out / f"{file}.csv") for file in files}


def test_the_programs_agree_with_each_other(run, tmp_path, monkeypatch):
    metrics = tabulate(
        monkeypatch, run, "tabulate_metrics", tmp_path, "metrics", choices=listed(tmp_path, [])
    )["metrics"]
    files = ("contrasts", "comparisons", "gains")
    stated = [
        Contrast("grath", "all rounds", "grath.r2", "base", "facts", "id", "mc1", "primary"),
        Contrast("grath", "all rounds", "grath.r2", "base", "facts", "ood", "mc1"),
    ]
    written = listed(tmp_path, [one.row() for one in stated])
    found = tabulate(monkeypatch, run, "tabulate_comparisons", tmp_path, *files, stated=written)
    same = next(row for row in found["comparisons"] if row["task"] == "facts")
    tested, untested = found["contrasts"]
    for name in ("difference", "low", "high", "p", "n"):
        assert tested[name] == same[name]
    assert tested["p_corrected"] == tested["p"]  # the only primary one
    assert (untested["n"], untested["difference"], untested["verdict"]) == ("0", "", "")
    differences = {
        (r["checkpoint"], r["task"], r["domain"], r["metric"]): r
        for r in metrics
        if r["category"] == "All"
    }
    assert len(found["comparisons"]) == 3 * 3  # r1 to base, r2 to base, r2 to its parent r1
    for row in found["comparisons"]:
        ending = f"{row['metric']}_vs_{row['against']}"
        other = differences[row["checkpoint"], row["task"], row["domain"], ending]
        for mine, theirs in (("difference", "value"), ("low", "low"), ("high", "high"), ("n", "n")):
            assert float(row[mine]) == float(other[theirs])
    assert not any(
        key[0] == "grath.r1" and key[3].endswith("_vs_parent") for key in differences
    )  # the base's own rows say it
    both = [row for row in found["gains"] if row["domain"] == "id"]
    assert {row["checkpoint"]: row["tasks"] for row in both} == {
        "grath.r2": "closed_book facts",
        "grath.r1": "closed_book facts",
    }
