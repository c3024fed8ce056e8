"""Gains over all tasks of a domain, and the study over losses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.evaluation.estimation import difference
from plumbline.evaluation.gains import gain_rows, gains
from plumbline.methods.apeft.study import study_rows
from plumbline.storage.files import write_rows
from programs import csv_rows, listed, program
from report_grand_data import grid_of, items

HOW = dict(confidence=0.95)


def both_tasks(first, second, other=(), **more):
    """Items of two ID tasks of different sizes, and of an OOD one if there are any."""
    of_second = items(second, task="closed_book", metric="em")
    return items(first, **more) + of_second + items(other, domain="ood")


def figures(grids, pairs=(("x", "base"),)):
    """By domain, the figures of each pair."""
    return {
        domain: [gain.figures([place], 0.95) for place in range(len(pairs))]
        for domain, gain in gains(grids, list(pairs)).items()
    }


def test_each_task_counts_alike_whatever_its_size():
    base, tuned = both_tasks([0] * 4, [0] * 2), both_tasks([1, 0, 0, 0], [1, 1])
    found = figures(grid_of({"base": {0: base}, "x": {1: tuned}}))
    assert list(found) == ["id"]
    (row,) = found["id"]
    assert row["value"] == (1 / 4 + 1) / 2  # not 3 of 6
    assert (row["n"], row["tasks"], row["low"]) == (6, "t closed_book", None)


def answers(seed, shape, shares=(0.6, 0.5)):
    return (np.random.default_rng(seed).random((2, shape)) < np.array(shares)[:, None]) * 1.0


def test_one_task_has_the_interval_of_its_paired_difference():
    mine, theirs = answers(0, 300)
    (row,) = figures(grid_of({"base": {0: items(theirs)}, "x": {1: items(mine)}}))["id"]
    expected = difference(mine[None], theirs[None], [str(n) for n in range(300)])
    assert row["value"] == expected.value
    assert (row["low"], row["high"]) == expected.interval(0.95)


def test_two_like_tasks_are_more_certain_than_one_but_not_of_what_a_training_does():
    """By √2 where items are the only source; by nothing where the seeds are."""
    mine, theirs = answers(1, 200)

    def widths(shift):
        found = []
        for count in (1, 2):
            column = {
                seed: [
                    item
                    for task in ("t", "u")[:count]
                    for item in items(np.roll(mine, 9 * seed) + shift * (seed - 2), task=task)
                ]
                for seed in (1, 2, 3)
            }
            base = [item for task in ("t", "u")[:count] for item in items(theirs, task=task)]
            (row,) = figures(grid_of({"base": {0: base}, "x": column}))["id"]
            found.append(row["high"] - row["low"])
        return found[0] / found[1]

    assert widths(0) == pytest.approx(np.sqrt(2), rel=0.05)
    assert widths(0.2) == pytest.approx(1, abs=0.05)


def test_both_domains_are_the_mean_of_the_two():
    base = both_tasks([0] * 8, [0] * 8, [0] * 8)
    tuned = both_tasks([1, 1] + [0] * 6, [1, 1] + [0] * 6, [0] * 8)
    found = {
        domain: row
        for domain, (row,) in figures(grid_of({"base": {0: base}, "x": {1: tuned}})).items()
    }
    assert {domain: row["value"] for domain, row in found.items()} == {
        "id": 0.25, "ood": 0, "both": 0.125,
    }  # fmt: skip
    assert (found["both"]["n"], found["both"]["tasks"]) == (24, "t closed_book")
    half = {domain: (row["high"] - row["low"]) / 2 for domain, row in found.items()}
    assert half["both"] == pytest.approx(np.hypot(half["id"], half["ood"]) / 2, rel=0.1)


def test_only_tasks_that_all_pairs_have_and_that_measure_truth_count():
    wins = items([1, 1], task="win_rate", metric="win")
    speed = items([3, 4], task="speed", metric="seconds")
    long = items([1, None], task="long_form", metric="f1")
    silent = items([None, 1], task="long_form", metric="f1")
    base, x, y = items([0, 0]), items([1, 0]), items([1, 1])
    columns = {
        "base": {0: base + wins + speed + long},
        "x": {1: x + wins + speed + long},
        "y": {1: y + wins + speed},
        "z": {1: y + wins + speed + silent},  # no response of both has claims
    }
    grids = grid_of(columns)

    def tasks(*names):
        return figures(grids, [(name, "base") for name in names])["id"][0]["tasks"]

    assert tasks("x") == "t long_form"
    assert tasks("x", "y") == tasks("x", "z") == "t"
    rows = list(gain_rows("m", grids, {"base": "", "x": "base", "y": "base"}, **HOW))
    assert [(r.checkpoint, r.tasks, r.value) for r in rows] == [("x", "t", 0.5), ("y", "t", 1)]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=6, max_size=12))
def test_the_other_way_round_is_the_gain_mirrored(pairs):
    one, other = ([float(pair[k]) for pair in pairs] for k in (0, 1))
    grids = grid_of({"a": {1: items(one)}, "b": {1: items(other)}})
    one, other, same = figures(grids, [("a", "b"), ("b", "a"), ("a", "a")])["id"]
    assert one["value"] == -other["value"] and same["value"] == 0
    assert (one["low"], one["high"]) == pytest.approx((-other["high"], -other["low"]))
    assert same["low"] < 0 < same["high"]


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


def study(seeds=(1,), times=1):
    columns = {
        name: {seed: items(one * times) + items(other * times, domain="ood")
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


def test_the_program_says_the_same_from_files(tmp_path, monkeypatch):
    rows = []
    for name, (one, other) in STUDY.items():
        write_rows(tmp_path / name / "items.jsonl", items(one) + items(other, domain="ood"))
        rows.append(dict(model="m", seed=0, checkpoint=name, parent="base" if rows else "",
                         folder=name, scored=["items.jsonl"]))  # fmt: skip
    program(
        monkeypatch, "tabulate_losses", root=tmp_path, checkpoints=listed(tmp_path, rows),
        evaluation='{"confidence": 0.9}', table=tmp_path / "study.csv",
    )  # fmt: skip
    found = {
        (r["method"], float(r["percent"]), r["loss"], r["against"], r["domain"]): float(r["value"])
        for r in csv_rows(tmp_path / "study.csv")
    }
    assert found == {key: row.value for key, row in study().items()}


def test_an_average_is_item_by_item_and_so_no_wider_than_its_parts():
    found = study(times=5)
    for domain in ("id", "ood", "both"):
        rows = [found["apeft", 50.0, loss, "general-only", domain]
                for loss in ("sigmoid", "ipo", "average")]  # fmt: skip
        widths = [row.high - row.low for row in rows]
        assert widths[2] <= max(widths[:2]) + 1e-9
        assert rows[2].n == rows[0].n == {"id": 20, "ood": 10, "both": 30}[domain]


def test_seeds_change_no_item_count_and_without_studied_checkpoints_there_is_no_row():
    assert study(seeds=(1, 2))["apeft", 0.0, "ipo", "parent", "id"].n == 4
    grids = grid_of({"base": {0: items([0])}, "grath.r1": {1: items([1])}})
    assert list(study_rows("m", grids, {"base": "", "grath.r1": "base"}, **HOW)) == []
