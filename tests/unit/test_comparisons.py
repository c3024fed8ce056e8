"""Every checkpoint against others: pairing, seeds, p values by hand, families, and the programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plumbline.evaluation.closed_book import Answer
from plumbline.evaluation.comparisons import compare, others_of
from plumbline.evaluation.grid import HEADLINE, Place, measure_of
from plumbline.evaluation.statistics import (
    bootstrap_means,
    holm,
    paired_difference,
    sign_flip_p,
)
from plumbline.files import InputError, write_rows
from plumbline.names import unfiltered
from plumbline.report.tables import LEADING
from programs import csv_rows, listed, program
from report_grand_data import grid_of, item, items
from scipy.stats import permutation_test


def names(n):
    return [str(place) for place in range(n)]


def compared(columns, parents, **more):
    rows = compare("m", grid_of(columns), parents, **{"confidence": 0.95, "resamples": 300} | more)
    return {(row.checkpoint, row.against, row.task, row.domain): row for row in rows}


def test_p_is_exact_over_all_sign_patterns():
    # Of 2⁴ patterns of 1, 1, 1, 1 those of one sign alone are as far from zero.
    assert sign_flip_p([1, 1, 1, 1], names(4), resamples=16) == 2 / 16
    # 3 + 2 - 1 = 4 or more: 3+2+1, 3+2-1, and their mirror images.
    assert sign_flip_p([3, 2, -1], names(3), resamples=300) == 4 / 8
    # Two clusters: 1 + 1 and 0.5; three items would have given 2 / 8.
    assert sign_flip_p([1, 1, 0.5], list("aab"), resamples=300) == 2 / 4
    # What cancels within a cluster and what does not differ have no say.
    assert sign_flip_p([1, -1, 0, 2], list("aabc"), resamples=300) == 1
    assert sign_flip_p([0, 0], names(2), resamples=300) == 1
    # 0.1 + 0.2 - 0.3 is not 0 in binary, all the same every pattern is as far as this one.
    assert sign_flip_p([0.1, 0.2, -0.3], names(3), resamples=300) == 1


@pytest.mark.parametrize("binary", [True, False])
def test_random_patterns_agree_with_scipys_exact_test(binary):
    random = np.random.default_rng(3)
    one, other = random.random(16), random.random(16) - 0.2
    if binary:
        one, other = (one > 0.4).astype(float), (other > 0.4).astype(float)
    exact = permutation_test(
        (one, other), lambda x, y: np.mean(x) - np.mean(y), permutation_type="samples",
        n_resamples=np.inf,
    ).pvalue  # fmt: skip
    found = sign_flip_p(one - other, names(16), resamples=20_000)
    assert found == pytest.approx(exact, abs=0.012)  # four standard errors
    whole = sign_flip_p(one - other, names(16), resamples=2**16)
    assert whole == pytest.approx(exact)


def test_p_is_uniform_where_nothing_differs():
    random, p = np.random.default_rng(5), []
    for trial in range(400):
        clusters = random.integers(30, size=60).astype(str)
        mine, theirs = (random.random((2, 60)) < 0.5).astype(float)
        noise = random.normal(0, 0.01, 60)
        p.append(sign_flip_p(mine - theirs + noise, clusters, resamples=200, seed=trial))
    shares = [np.mean(np.array(p) <= level) for level in (0.05, 0.25, 0.5, 0.75)]
    assert shares == pytest.approx([0.05, 0.25, 0.5, 0.75], abs=0.075)
    assert shares[0] < 0.09


@settings(max_examples=25)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_the_other_way_round_has_the_same_p_and_the_mirrored_difference(values):
    other = [0.0] * len(values)
    assert sign_flip_p(values, names(len(values)), resamples=600) == sign_flip_p(
        [-value for value in values], names(len(values)), resamples=600
    )
    one = compared({"base": {0: items(other)}, "a": {1: items(values)}}, {"base": "", "a": "base"})
    two = compared({"base": {0: items(values)}, "a": {1: items(other)}}, {"base": "", "a": "base"})
    (one,), (two,) = one.values(), two.values()
    assert one.difference == -two.difference and one.p == two.p
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))


def test_holm_by_hand():
    # 0.01 × 4; 0.02 × 3; 0.03 × 2 = 0.06; 0.9 × 1. Never less than a smaller one's.
    assert holm([0.02, 0.9, 0.01, 0.03]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


def test_columns_share_their_samples():
    values = np.random.default_rng(0).random((40, 2))
    columns = np.column_stack([values, values.mean(axis=1), [np.nan] * 39 + [0.5]])
    means = bootstrap_means(columns, names(40), resamples=250)
    assert means.shape == (250, 4)
    assert means[:, 2] == pytest.approx(means[:, :2].mean(axis=1))
    drawn = ~np.isnan(means[:, 3])
    assert set(means[drawn, 3]) == {0.5} and 0.5 < drawn.mean() < 0.75  # 1 - 1/e expected


def test_values_differences_and_counts_by_hand():
    base = [*items([1, 0, 0, 1]), *items([0, 0], domain="ood")]
    tuned = [*items([1, 1, 0, 1]), *items([0, 1], domain="ood")]
    found = compared({"base": {0: base}, "x": {1: tuned[::-1]}}, {"base": "", "x": "base"})
    row = found["x", "base", "t", "id"]
    assert (row.value, row.other_value, row.difference, row.n) == (0.75, 0.5, 0.25, 4)
    assert (row.other, row.metric, row.seeds, row.p) == ("base", "mc1", 1, 1.0)
    expected = paired_difference([1, 1, 0, 1], [1, 0, 0, 1], names(4), resamples=300)
    assert (row.low, row.high) == (expected.low, expected.high)  # as in metrics.csv
    assert found["x", "base", "t", "ood"].difference == 0.5


def test_an_item_is_one_unit_whatever_the_number_of_seeds():
    base = {0: items([0, 0, 0, 0])}
    tuned = {1: items([1, 1, 0, 0]), 2: items([1, 0, 0, 0])}
    (row,) = compared({"base": base, "x": tuned}, {"base": "", "x": "base"}).values()
    assert (row.value, row.n, row.seeds) == (3 / 8, 4, 2)
    assert row.p == 1 / 2  # of 1 and 1/2 all patterns of one sign, 2 of 4
    # A parent is taken at the same seed.
    found = compared(
        {"base": base, "x": tuned, "y": {2: items([1, 0, 0, 0]), 1: items([1, 1, 0, 1])}},
        {"base": "", "x": "base", "y": "x"},
    )
    assert found["y", "parent", "t", "id"].difference == 1 / 8


def test_what_is_undefined_on_one_side_is_not_compared():
    base = {0: items([0.5, None, 0.5, None], metric="factscore")}
    tuned = {1: items([1, 1, None, None], metric="factscore")}
    parents = {"base": "", "x": "base", "y": "base"}
    silent = {1: items([None] * 4, metric="factscore")}
    found = compared({"base": base, "x": tuned, "y": silent}, parents)
    assert list(found) == [("x", "base", "t", "id")]
    row = found["x", "base", "t", "id"]
    assert (row.value, row.other_value, row.n, row.low, row.high) == (1, 0.5, 1, 0.5, 0.5)
    # At either seed where both have a value.
    tuned[2] = items([0, None, 1, 1], metric="factscore")
    row = compared({"base": base, "x": tuned}, parents)["x", "base", "t", "id"]
    assert (row.value, row.other_value, row.n) == (0.75, 0.5, 2)


def test_a_family_is_all_checkpoints_and_tasks_against_the_same_kind_of_other():
    better, same = [1] * 8, [0] * 8
    columns = {
        "base": {0: items(same) + items(same, task="u")},
        "x": {1: items(better) + items(same, task="u")},
        "y": {1: items(better) + items(better, task="u")},
    }
    found = compared(columns, {"base": "", "x": "base", "y": "x"})
    smallest = 2 / 2**8
    assert {key: (row.p, row.p_corrected) for key, row in found.items()} == {
        ("x", "base", "t", "id"): (smallest, 4 * smallest),
        ("x", "base", "u", "id"): (1, 1),
        ("y", "base", "t", "id"): (smallest, 4 * smallest),
        ("y", "base", "u", "id"): (smallest, 4 * smallest),
        ("y", "parent", "t", "id"): (1, 1),
        ("y", "parent", "u", "id"): (smallest, 2 * smallest),
    }
    assert [row.significant for row in found.values()] == ["yes", "no", "yes", "yes", "no", "yes"]


def test_many_comparisons_get_as_many_patterns_as_their_correction_needs():
    """With 100 patterns no p could be below 1/101, and none of 40 significant."""
    columns = {"base": {0: items([0] * 40)}}
    columns |= {f"c{place}": {1: items([1] * 40)} for place in range(40)}
    parents = dict.fromkeys(columns, "base") | {"base": ""}
    found = compared(columns, parents, resamples=100)
    assert {row.significant for row in found.values()} == {"yes"} and len(found) == 40


def test_nothing_is_significant_where_nothing_differs_in_nearly_all_runs():
    random, wrong = np.random.default_rng(11), 0
    for _ in range(40):
        columns = {"base": {0: items((random.random(50) < 0.5) * 1.0)}}
        columns |= {f"c{k}": {1: items((random.random(50) < 0.5) * 1.0)} for k in range(6)}
        parents = dict.fromkeys(columns, "base") | {"base": ""}
        found = compared(columns, parents, resamples=100)
        wrong += any(row.significant == "yes" for row in found.values())
    assert wrong <= 6  # 2 at most expected


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
    assert measure_of(["claims", "factscore", "words"]) == "factscore"
    assert measure_of(["bleu", "rouge"]) == "bleu"
    assert [first for first, *_ in LEADING] == list(HEADLINE)
    # A measure that only some items have, as MC1 without a best answer, still is the task's.
    mixed = [item("0", 1, metric="acc"), item("1", 1, metric="mc1")]
    assert grid_of({"base": {0: mixed}})[Place("t", "id")].metric == "mc1"


def test_a_win_rates_baseline_wins_one_half():
    columns = {
        "base": {0: items([1])},
        "x": {1: items([1]) + items([1, 1, 0, None], task="win_rate", metric="win")},
    }
    grids = grid_of(columns, baseline="base")
    rows = list(compare("m", grids, {"base": "", "x": "base"}, confidence=0.95, resamples=300))
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
                   relation="r", subject=f"s{n // 2}", domain=d, category="Unknown",
                   output="", correct=right[k, n], abstained=False, majority_correct=False)
            for k, d in enumerate(("id", "ood")) for n in range(12)
        ]  # fmt: skip
        write_rows(root / name / "closed_book/answers.jsonl", answers)
        write_rows(root / name / "choices/scores.jsonl", items(right[0] * 1.0, task="facts"))
        rows.append(dict(model="m", seed=seed, checkpoint=name, parent=parent, folder=name,
                         scored=["choices/scores.jsonl"]))  # fmt: skip
    return root, listed(root, rows)


def tabulate(monkeypatch, run, name, out, *files, **more):
    root, rows = run
    program(
        monkeypatch, name, root=root, checkpoints=rows,
        evaluation='{"confidence": 0.9, "resamples": 300}',
        **{file: out / f"{file}.csv" for file in files}, **more,
    )  # fmt: skip
    return {file: csv_rows(out / f"{file}.csv") for file in files}


def test_the_programs_agree_with_each_other(run, tmp_path, monkeypatch):
    none = {"choices": listed(tmp_path, [])}
    metrics = tabulate(monkeypatch, run, "tabulate_metrics", tmp_path, "metrics", **none)["metrics"]
    files = ("comparisons", "gains", "study")
    found = tabulate(monkeypatch, run, "tabulate_comparisons", tmp_path, *files)
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
    assert found["study"] == []
