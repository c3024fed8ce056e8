"""The contrasts that methods state: which ones, tested how, corrected for how many."""

import copy
from pathlib import Path

import numpy as np
import pytest
import yaml
from plumbline.evaluation.contrast_table import contrast_rows
from plumbline.evaluation.contrasts import PRIMARY, Contrast, against_placebo
from plumbline.evaluation.exact_answers import TASKS
from plumbline.evaluation.statistics import holm
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.experiment.contrasts import contrasts
from plumbline.experiment.lineage import Lineage
from plumbline.methods.tuning import Tuning
from report_grand_data import grid_of, items

DEFAULT = yaml.safe_load(
    (Path(__file__).parents[2] / "config/config.yaml").read_text(encoding="utf-8")
)


def stated(**changes):
    """The contrasts of the default experiment with sections changed; None: without it."""
    given = copy.deepcopy(DEFAULT)
    for name, keys in changes.items():
        given[name] = None if keys is None else given[name] | keys
    config = experiment.load(given)
    return contrasts(config, lineage.build(config))


def shown(found, role=PRIMARY):
    return [
        (one.first, one.second, one.task, one.domain, one.metric)
        for one in found
        if one.role == role
    ]


def test_each_method_has_one_primary_contrast():
    assert shown(stated()) == [
        (
            "mix.unknown-100.convergence",
            "mix.unknown-0.convergence",
            "closed_book_plain",
            "id",
            "em",
        ),
        ("grath.r2", "base", "facts", "id", "mc2"),
        ("flame.sft-star.dpo-star", "flame.sft.dpo", "long_form", "id", "f1"),
        ("apeft.atomic-50.sigmoid", "apeft.atomic-0.sigmoid", "long_form", "ood", "f1"),
    ]
    # Filtered variants and further losses are looked at, and claim nothing.
    more = stated(
        grath={"keep_unknown": [0, 100]},
        apeft={"losses": ["sigmoid", "ipo"], "keep_unknown": [100, 0]},
    )
    assert shown(more) == shown(stated())
    secondary = shown(more, "secondary")
    assert ("grath-unknown-0.r2", "base", "facts", "id", "mc2") in secondary
    assert (
        "apeft.atomic-50.ipo",
        "apeft.atomic-0.ipo",
        "long_form",
        "ood",
        "f1",
    ) in secondary
    assert shown(stated(mixes={"prompt": "chat"}))[0][2] == TASKS["chat"]
    # Mixes in a second form, after few-shot examples.
    few_shot = [one for one in secondary if one[0].startswith("mix.") and one[2] == "closed_book"]
    most, none = (f"mix.unknown-{percent}.convergence" for percent in (100, 0))
    assert few_shot == [(most, none, "closed_book", domain, "em") for domain in ("id", "ood")]
    # Each round against the round before.
    assert ("grath.r2", "grath.r1", "facts", "ood", "mc2") in secondary


def test_what_is_not_about_truth_is_to_be_held():
    held = [one for one in stated() if one.kind == "equivalence"]
    assert [(one.first, one.task, one.domain, one.metric) for one in held] == [
        ("grath.r2", "openbookqa", "ood", "acc"),
        ("grath.r2", "closed_book", "id", "em"),
        ("grath.r2", "closed_book", "ood", "em"),
    ]
    alone = {"choices": [DEFAULT["evaluation"]["choices"][1]]}
    assert ("grath.r2", "base", "openbookqa", "ood", "mc2") in shown(stated(evaluation=alone))


def test_only_checkpoints_that_are_there_and_write_are_compared():
    assert not [one for one in stated(evaluation={"long_form": None, "token_shift": None})
                if one.task in ("long_form", "win_rate")]  # fmt: skip
    assert stated(grath=None, flame=None, apeft=None, mixes={"unknown_percent": []},
                  evaluation={"token_shift": None}) == []  # fmt: skip
    without = stated(flame={"dpo": ["sft.dpo"]}, evaluation={"token_shift": None})
    assert not any(one.first == "flame.sft-star.dpo-star" for one in without)
    assert not any(one.first == "mix.unknown-100.convergence" and one.role == PRIMARY
                   for one in stated(mixes={"unknown_percent": [100]}))  # fmt: skip
    both = {one.first for one in stated()} | {one.second for one in stated()}
    assert both <= set(lineage.build(experiment.load(copy.deepcopy(DEFAULT))).checkpoints)


def test_a_tuning_is_compared_with_its_placebo_where_there_is_one():
    recipe = experiment.load(copy.deepcopy(DEFAULT)).recipes["grath"]
    names = ("grath.r1", "grath.r1.placebo", "grath.r2", "flame.sft", "flame.sft.placebo")
    tunings = Lineage([Tuning(name, "base", recipe) for name in names])
    (found,) = against_placebo("grath", tunings, [("facts", "id", "mc2")])
    assert (found.first, found.second, found.role) == ("grath.r1", "grath.r1.placebo", "secondary")


def results(columns, *contrasts, margin=0.02):
    return list(contrast_rows("m", grid_of(columns), contrasts, confidence=0.95, margin=margin))


def of(first, role="secondary", kind="difference", metric="mc1"):
    return Contrast("a", "c", first, "base", "t", "id", metric, role, kind)


def shifted(effect, seed, n=200):
    return np.random.default_rng(seed).normal(effect, 0.3, n)


def test_primary_contrasts_are_corrected_for_their_number_and_no_others():
    effects = {"x": 0.055, "y": 0.06, "z": 0.0, "w": 0.2}
    columns = {"base": {0: items(np.zeros(200))}} | {
        name: {1: items(shifted(effect, place))}
        for place, (name, effect) in enumerate(effects.items())
    }
    primary = [of(name, "primary") for name in ("x", "y", "z")]
    rows = results(columns, *primary, of("w"), of("absent", "primary"))
    assert [row.p_corrected for row in rows[:3]] == holm([row.p for row in rows[:3]])
    assert rows[3].p_corrected is None and rows[3].verdict == "" and rows[3].p < 0.001
    for row in rows[:3]:
        decided = row.p_corrected <= 0.05
        assert row.verdict == ("undecided" if not decided else "higher")
        assert (row.low > 0 or row.high < 0) == (row.p <= 0.05)
    # What is not there is told, and counts for no correction.
    assert (rows[4].n, rows[4].p, rows[4].verdict, rows[4].difference) == (
        0,
        None,
        "undecided",
        None,
    )
    # A smaller level asks for a larger effect.
    alone = results(columns, of("x", "primary"))[0]
    assert alone.detectable < rows[0].detectable
    assert alone.detectable == results(columns, of("x"))[0].detectable


def test_a_verdict_has_the_sign_of_the_difference_and_the_values_of_both_sides():
    columns = {"base": {0: items([1.0] * 40)}, "x": {1: items([0.0, 1.0] * 20)}}
    (row,) = results(columns, of("x", "primary"))
    assert (row.first_value, row.second_value, row.difference) == (0.5, 1, -0.5)
    assert (row.verdict, row.n, row.seeds) == ("lower", 40, 1)
    assert row.low < -0.5 < row.high < 0


def test_held_is_shown_and_not_taken_from_what_is_not_seen():
    columns = {
        "base": {0: items(np.zeros(400))},
        "same": {1: items(np.random.default_rng(0).normal(0, 0.05, 400))},
        "noisy": {1: items(np.random.default_rng(1).normal(0, 0.5, 400))},
    }
    held = [of(name, "primary", "equivalence") for name in ("same", "noisy")]
    same, noisy = results(columns, *held)
    assert same.verdict == "held" and same.low >= -0.02 and same.high <= 0.02
    assert noisy.verdict == "undecided" and noisy.low < 0 < noisy.high  # no difference is seen
    assert same.detectable < 0.02 < noisy.detectable
    assert results(columns, held[1], margin=0.2)[0].verdict == "held"


def test_a_contrast_names_its_metric():
    columns = {"base": {0: items([0.0] * 8)}, "x": {1: items([1.0] * 8)}}
    for by_seed in columns.values():
        for one in (item for rows in by_seed.values() for item in rows):
            one.metrics["mc2"] = 0.25 + one.metrics["mc1"] / 2
    assert results(columns, of("x", metric="mc2"))[0].difference == pytest.approx(0.5)
    assert results(columns, of("x", metric="mc3"))[0].n == 0
