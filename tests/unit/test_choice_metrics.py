"""Measures of multiple choice, worked by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.evaluation.choice_scores import ChoiceScore, choice_metrics, choice_score
from plumbline.records import ChoiceQuestion
from plumbline.storage.files import read_unique_rows, write_rows


def question(labels, best=None, choices=None, **more):
    choices = choices or [f"choice {i}" for i in range(len(labels))]
    return ChoiceQuestion(
        id="q", question="Which?", choices=choices, labels=labels, best=best, **more
    )


def measures(labels, probabilities, best=None, compat=False, choices=None):
    logprobs = [math.log(p) for p in probabilities]
    return choice_metrics(question(labels, best, choices), logprobs, compat)


def test_by_hand():
    found = measures([1, 1, 0, 0], [0.1, 0.4, 0.2, 0.1], best=0)
    assert found == pytest.approx({"mc1": 0, "mc2": 5 / 8, "mc3": 1 / 2, "acc": 1, "acc_norm": 1})
    found = measures([0, 1, 1], [0.1, 0.2, 0.3], best=1)
    assert found == pytest.approx({"mc1": 1, "mc2": 5 / 6, "mc3": 1, "acc": 1, "acc_norm": 1})


def test_other_true_answers_do_not_stand_in_the_way_of_the_best():
    assert measures([1, 1, 0], [0.2, 0.7, 0.1], best=0)["mc1"] == 1


def test_accuracy_by_length_divides_by_characters():
    # -8 over 10 characters is better than -6 over 5.
    asked = question([1, 0], choices=["a" * 10, "b" * 5])
    found = choice_metrics(asked, [-8.0, -6.0], False)
    assert (found["acc"], found["acc_norm"]) == (0, 1)
    # Of letters one character each was scored.
    found = choice_metrics(asked, [-8.0, -6.0], False, letters=True)
    assert (found["acc"], found["acc_norm"]) == (0, 0)


def test_mc1_is_left_out_when_nothing_says_which_is_best():
    assert "mc1" not in measures([1, 1, 0], [0.2, 0.5, 0.3])
    assert measures([0, 1, 0], [0.2, 0.5, 0.3])["mc1"] == 1
    assert measures([0, 1, 0], [0.6, 0.1, 0.3])["mc1"] == 0


@pytest.mark.parametrize(("compat", "mc1"), [(False, 0), (True, 1)])
def test_a_tie(compat, mc1):
    found = choice_metrics(question([1, 0, 0], 0), [-2.0, -2.0, -3.0], compat)
    assert (found["mc1"], found["mc3"], found["acc"]) == (mc1, 0, 1)
    # Of equal sums the first counts, and here it is a false choice.
    assert choice_metrics(question([0, 1], 1), [-2.0, -2.0], compat)["acc"] == 0


def test_a_true_answer_after_a_false_one():
    """The shape of the two questions that the harness's older rule gets wrong."""
    labels = [1, 1, 1, 0, 1, 0, 0, 0, 0]
    probabilities = [0.01, 0.02, 0.03, 0.04, 0.5, 0.05, 0.06, 0.07, 0.08]
    right = measures(labels, probabilities, best=0)
    older = measures(labels, probabilities, best=0, compat=True)
    assert right["mc2"] == pytest.approx(0.56 / 0.86)
    assert older["mc2"] == pytest.approx(0.06 / 0.86)
    assert {k: v for k, v in right.items() if k != "mc2"} == {
        k: v for k, v in older.items() if k != "mc2"
    }
    assert right["mc3"] == 0.25
    assert measures([0, 1, 1], [0.2, 0.3, 0.5], compat=True)["mc2"] == 0


def test_improbable_sums_do_not_vanish():
    for shift in (0, -700, -2000):
        found = choice_metrics(
            question([1, 0, 1], 0), [shift - 1.0, shift - 2.0, shift - 3.0], False
        )
        e = math.exp
        assert found["mc2"] == pytest.approx((e(-1) + e(-3)) / (e(-1) + e(-2) + e(-3)))
    assert choice_metrics(question([1, 0], 0), [-2000.0, 0.0], False)["mc2"] == 0


@st.composite
def scored(draw):
    n = draw(st.integers(2, 8))
    labels = draw(st.lists(st.sampled_from([0, 1]), min_size=n, max_size=n).filter(
        lambda labels: set(labels) == {0, 1}
    ))  # fmt: skip
    best = draw(st.sampled_from([i for i, label in enumerate(labels) if label]))
    sums = draw(st.lists(st.floats(-300, 0), min_size=n, max_size=n, unique=True))
    return labels, best, sums


@given(scored(), st.randoms(use_true_random=False))
def test_the_order_of_the_choices_does_not_matter(case, random):
    labels, best, sums = case
    order = list(range(len(labels)))
    random.shuffle(order)
    names = [f"choice {'x' * i}" for i in range(len(labels))]
    asked = question(labels, best, names)
    moved = question([labels[i] for i in order], order.index(best), [names[i] for i in order])
    found = choice_metrics(asked, sums, False)
    assert found == pytest.approx(choice_metrics(moved, [sums[i] for i in order], False))
    assert all(0 <= value <= 1 for value in found.values())
    # What holds between them: the best one is one of the true ones.
    assert found["mc1"] <= (found["mc3"] > 0) == (found["acc"] == 1)


@given(scored())
def test_the_two_rules_agree_where_the_true_ones_come_first(case):
    labels, _, sums = case
    asked = question(sorted(labels, reverse=True), 0)
    assert choice_metrics(asked, sums, True) == choice_metrics(asked, sums, False)


def test_rows_are_read_back_as_written(tmp_path):
    asked = [question([1, 0], 0, domain="id"), question([0, 1], 1, subject="Oslo")]
    rows = [choice_score("set", one, [-1.5, -2.5], False) for one in asked]
    assert [(row.id, row.task, row.domain, row.cluster) for row in rows] == [
        ("set/q", "set", "id", "q"),
        ("set/q", "set", "ood", "Oslo"),
    ]
    write_rows(tmp_path / "scores.jsonl", rows[:1])
    assert read_unique_rows(tmp_path / "scores.jsonl", ChoiceScore) == rows[:1]
