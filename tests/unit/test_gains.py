"""Gains over all tasks of a domain, and the study over losses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.evaluation.gains import gain_rows, gains, study_rows
from plumbline.evaluation.statistics import paired_difference
from report_grand_data import grid_of, items

HOW = dict(confidence=0.95, resamples=300)


def both_tasks(first, second, other=(), **more):
    """Items of two ID tasks of different sizes, and of an OOD one if there are any."""
    of_second = items(second, task="closed_book", metric="em")
    return items(first, **more) + of_second + items(other, domain="ood")


def test_each_task_counts_alike_whatever_its_size():
    base, tuned = both_tasks([0] * 4, [0] * 2), both_tasks([1, 0, 0, 0], [1, 1])
    found = gains(grid_of({"base": {0: base}, "x": {1: tuned}}), [("x", "base")], 300)
    assert list(found) == ["id"]
    gain = found["id"]
    assert gain.values.tolist() == [(1 / 4 + 1) / 2]  # not 3 of 6
    assert (gain.n.tolist(), gain.tasks) == ([6], ["t", "closed_book"])


def test_one_task_has_the_interval_of_its_paired_difference_in_width():
    random = np.random.default_rng(0)
    mine, theirs = random.random((2, 300)) < [[0.6], [0.5]]
    grids = grid_of({"base": {0: items(theirs * 1.0)}, "x": {1: items(mine * 1.0)}})
    row = gains(grids, [("x", "base")], 2000)["id"].figures(0, 0.95)
    expected = paired_difference(mine, theirs, [str(n) for n in range(300)])
    assert row["value"] == pytest.approx(expected.value)
    assert row["high"] - row["low"] == pytest.approx(expected.high - expected.low, rel=0.1)


def test_two_equal_tasks_are_more_certain_than_one():
    """Drawn independently: by √2. Drawn alike they would be no narrower."""
    random = np.random.default_rng(1)
    mine, other = random.random((2, 200)) < 0.5
    flat = [0.0] * 200
    base, tuned = both_tasks(flat, flat), both_tasks(mine * 1.0, other * 1.0)
    two = gains(grid_of({"base": {0: base}, "x": {1: tuned}}), [("x", "base")], 2000)["id"]
    one = gains(grid_of({"base": {0: items(flat)}, "x": {1: items(mine * 1.0)}}),
                [("x", "base")], 2000)["id"]  # fmt: skip
    assert two.draws.std() / one.draws.std() == pytest.approx(1 / np.sqrt(2), rel=0.1)


def test_both_domains_are_the_mean_of_the_two():
    base = both_tasks([0] * 4, [0] * 4, [0] * 8)
    tuned = both_tasks([1, 0, 0, 0], [1, 0, 0, 0], [0] * 8)
    found = gains(grid_of({"base": {0: base}, "x": {1: tuned}}), [("x", "base")], 300)
    assert {domain: float(gain.values[0]) for domain, gain in found.items()} == {
        "id": 0.25, "ood": 0, "both": 0.125,
    }  # fmt: skip
    assert found["both"].draws == pytest.approx((found["id"].draws + found["ood"].draws) / 2)
    assert found["both"].n.tolist() == [16] and found["both"].tasks == ["t", "closed_book"]


def test_only_tasks_that_all_pairs_have_and_that_measure_truth_count():
    wins = items([1, 1], task="win_rate", metric="win")
    speed = items([3, 4], task="speed", metric="seconds")
    long = items([1, None], task="long_form", metric="factscore")
    silent = items([None, 1], task="long_form", metric="factscore")
    base, x, y = items([0, 0]), items([1, 0]), items([1, 1])
    columns = {
        "base": {0: base + wins + speed + long},
        "x": {1: x + wins + speed + long},
        "y": {1: y + wins + speed},
        "z": {1: y + wins + speed + silent},  # no response of both has claims
    }
    grids = grid_of(columns)

    def tasks(*names):
        return gains(grids, [(name, "base") for name in names], 300)["id"].tasks

    assert tasks("x") == ["t", "long_form"]
    assert tasks("x", "y") == tasks("x", "z") == ["t"]
    rows = list(gain_rows("m", grids, {"base": "", "x": "base", "y": "base"}, **HOW))
    assert [(r.checkpoint, r.tasks, r.value) for r in rows] == [("x", "t", 0.5), ("y", "t", 1)]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_the_other_way_round_is_the_gain_mirrored(pairs):
    one, other = ([float(pair[k]) for pair in pairs] for k in (0, 1))
    grids = grid_of({"a": {1: items(one)}, "b": {1: items(other)}})
    found = gains(grids, [("a", "b"), ("b", "a"), ("a", "a")], 100)["id"]
    assert found.values[0] == -found.values[1] and found.values[2] == 0
    assert found.draws[:, 0] == pytest.approx(-found.draws[:, 1])


def test_filtered_checkpoints_are_compared_with_their_full_siblings():
    columns = {
        "base": {0: items([0, 0])},
        "grath.r1": {1: items([1, 0])},
        "grath-unknown-0.r1": {1: items([1, 1])},
    }
    parents = {"base": "", "grath.r1": "base", "grath-unknown-0.r1": "base"}
    rows = list(gain_rows("m", grid_of(columns), parents, **HOW))
    assert [(r.checkpoint, r.against, r.other, r.value) for r in rows] == [
        ("grath.r1", "base", "base", 0.5),
        ("grath-unknown-0.r1", "base", "base", 1.0),
        ("grath-unknown-0.r1", "full", "grath.r1", 0.5),
    ]


STUDY = {
    "base": ([0, 0, 0, 0], [0, 0]),
    "apeft.atomic-0.sigmoid": ([1, 0, 0, 0], [0, 0]),
    "apeft.atomic-0.ipo": ([0, 0, 0, 0], [1, 0]),
    "apeft.atomic-50.sigmoid": ([1, 1, 0, 0], [1, 0]),
    "apeft.atomic-50.ipo": ([1, 0, 0, 0], [1, 1]),
    "apeft-unknown-12.5.atomic-2.5.ipo": ([1, 1, 1, 1], [0, 0]),
    "grath.r1": ([1, 1, 1, 1], [1, 1]),
}


def study(seeds=(1,)):
    columns = {
        name: {seed: items(one) + items(other, domain="ood")
               for seed in ([0] if name == "base" else seeds)}
        for name, (one, other) in STUDY.items()
    }  # fmt: skip
    parents = dict.fromkeys(STUDY, "base") | {"base": ""}
    rows = study_rows("m", grid_of(columns), parents, **HOW)
    return {(r.method, r.percent, r.loss, r.against, r.domain): r for r in rows}


def test_the_study_by_hand():
    found = {key: row.value for key, row in study().items()}
    general, atomic = ("apeft", 0.0), ("apeft", 50.0)
    expected = {
        (*general, "sigmoid", "parent"): (1 / 4, 0),
        (*general, "ipo", "parent"): (0, 1 / 2),
        (*general, "average", "parent"): (1 / 8, 1 / 4),
        (*atomic, "sigmoid", "parent"): (1 / 2, 1 / 2),
        (*atomic, "ipo", "parent"): (1 / 4, 1),
        (*atomic, "average", "parent"): (3 / 8, 3 / 4),
        (*atomic, "sigmoid", "general-only"): (1 / 4, 1 / 2),
        (*atomic, "ipo", "general-only"): (1 / 4, 1 / 2),
        (*atomic, "average", "general-only"): (1 / 4, 1 / 2),
        # One loss: no average; nor is there a general-only one of its own.
        ("apeft-unknown-12.5", 2.5, "ipo", "parent"): (1, 0),
    }
    assert found == {
        (*key, domain): value
        for key, (one, other) in expected.items()
        for domain, value in (("id", one), ("ood", other), ("both", (one + other) / 2))
    }


def test_an_average_is_over_the_same_samples_and_so_no_wider_than_its_parts():
    found = study()
    for domain in ("id", "ood", "both"):
        rows = [found["apeft", 50.0, loss, "general-only", domain]
                for loss in ("sigmoid", "ipo", "average")]  # fmt: skip
        widths = [row.high - row.low for row in rows]
        assert widths[2] <= max(widths[:2]) + 1e-9
        assert rows[2].n == rows[0].n == {"id": 4, "ood": 2, "both": 6}[domain]


def test_seeds_change_no_item_count_and_without_studied_checkpoints_there_is_no_row():
    assert study(seeds=(1, 2))["apeft", 0.0, "ipo", "parent", "id"].n == 4
    grids = grid_of({"base": {0: items([0])}, "grath.r1": {1: items([1])}})
    assert list(study_rows("m", grids, {"base": "", "grath.r1": "base"}, **HOW)) == []
