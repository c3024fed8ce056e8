"""Chance and what can be had without the question, on questions whose truth is known."""

import pytest
from plumbline.evaluation.guessing import guessed
from plumbline.records import ChoiceQuestion
from plumbline.report.tables import Run
from plumbline.report.task_sections import id_ood
from plumbline.storage.files import write_rows
from programs import csv_rows, listed, program
from report_data import metric, tables_of


def asked(name, choices, best=0, labels=None, **more):
    labels = labels or [int(at == best) for at in range(len(choices))]
    return ChoiceQuestion(
        id=name, question="Which?", choices=choices, labels=labels, best=best, **more
    )


def test_chance_is_by_the_number_of_choices():
    rows = [asked("a", ["x", "y"]), asked("b", ["x", "y", "z", "v"])]
    assert guessed(rows, places=False)["chance_mc1"] == pytest.approx((1 / 2 + 1 / 4) / 2)


def test_the_prior_is_the_best_way_of_guessing():
    long = [asked(f"{n}", ["no", "long one", "me"], best=1) for n in range(3)]
    other = [asked("o", ["yes", "a long one"], best=0)]
    assert guessed(long + other, places=False)["prior_mc1"] == 3 / 4
    assert guessed(other * 3 + long, places=False)["prior_mc1"] == 3 / 6
    # Of equally long ones one is drawn.
    assert guessed([asked("a", ["x", "y", "z"])], places=False)["prior_mc1"] == pytest.approx(1 / 3)


def test_places_count_only_where_they_are_seen():
    rows = [asked(f"{n}", ["x", "y", "z"], best=2) for n in range(4)]
    assert guessed(rows, places=False)["prior_mc1"] == pytest.approx(1 / 3)
    assert guessed(rows, places=True)["prior_mc1"] == 1


def test_the_commonest_answer_is_a_prior_of_facts():
    rows = [asked(f"{n}", ["x", "y"], best=0, commonest=0) for n in range(3)]
    rows.append(asked("b", ["x", "y"], best=1, commonest=0))
    assert guessed(rows, places=False)["prior_mc1"] == 3 / 4


def test_mc1_is_about_the_best_and_the_false_choices():
    several = asked("a", ["best", "true", "wrong", "false"], labels=[1, 1, 0, 0])
    assert guessed([several], places=False)["chance_mc1"] == pytest.approx(1 / 3)
    unnamed = [several.model_copy(update={"best": None})]
    assert guessed(unnamed, places=False)["chance_acc"] == 1 / 2
    # One question with a best answer, and MC1 is the task's measure, over those that have it.
    assert guessed([several, *unnamed], places=False)["chance_mc1"] == pytest.approx(1 / 3)


def test_they_stand_in_the_table_of_metrics_and_in_the_report(tmp_path, monkeypatch):
    rows = [asked("a", ["x", "yes"], domain="id"), asked("b", ["x", "y", "z", "v"], domain="ood")]
    write_rows(tmp_path / "set.jsonl", rows)
    base = {"model": "m", "checkpoint": "base", "seed": 0, "parent": "", "scored": []}
    checkpoints = listed(tmp_path, [{**base, "folder": "b"}]).rename(tmp_path / "checkpoints.json")
    sets = listed(tmp_path, [{"name": "s", "path": tmp_path / "set.jsonl", "letters": False}])
    program(
        monkeypatch, "tabulate_metrics", root=tmp_path, checkpoints=checkpoints, choices=sets,
        evaluation="{}", metrics=tmp_path / "metrics.csv",
    )  # fmt: skip
    found = {
        (row["domain"], row["metric"]): float(row["value"])
        for row in csv_rows(tmp_path / "metrics.csv")
        if row["task"] == "s"
    }
    assert found == {
        ("id", "chance_mc1"): 0.5, ("id", "prior_mc1"): 1,
        ("ood", "chance_mc1"): 0.25, ("ood", "prior_mc1"): 0.25,
    }  # fmt: skip

    place = {"task": "s", "domain": "ood"}
    shown = [
        metric(**place, metric="mc1", value=0.4),
        metric(**place, metric="chance_mc1", value=0.25, low=None, high=None),
        metric(**place, metric="prior_mc1", value=0.29, low=None, high=None),
    ]
    _, table = id_ood(Run(tables_of(tmp_path, shown), {}, {}))
    assert table.caption.endswith(
        "By chance: MC1 25.0 %. Without reading the question, by the length, place or commonness "
        "of choices: MC1 29.0 %."
    )
    assert [cell.text for cell in table.columns[1:]] == ["MC1 %", "to base"]
