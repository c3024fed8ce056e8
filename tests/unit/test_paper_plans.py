"""What plans say of GRATH, FLAME and APEFT at the papers' sizes, against the papers' arithmetic."""

import pytest
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.experiment.plan import make_plan
from plumbline.records import ChoiceQuestion, Question
from test_paper_configs import merged

SPLITS = {"train": 300, "dev": 50, "test": 150}
PROBED, TESTED = sum(SPLITS.values()), SPLITS["test"]
CLAIMS = 300 / 6.4  # of a response
LONG_FORM = {"flame": 183 + 241 + 141, "apeft": 2 * 183}
ARC = [
    ChoiceQuestion(id=f"c{n}", question="q" * 100, choices=["a", "b"], labels=[1, 0])
    for n in range(1119)
]
TRUTHFULQA = [
    ChoiceQuestion(id=f"t{n}", question="q" * 80, choices=["a", "b", "c"], labels=[1, 0, 0])
    for n in range(817)
]


def plan(paper, instructions, over=(), **of_grath):
    config = experiment.load(merged(paper, *over) | {"price_per_device_hour": 2.0})
    config.evaluation.harness.clear()
    questions = [
        Question(id=f"{split}{n}", relation="r", subject=f"s{n}", question="q" * 40, split=split,
                 answers=["a" * 8], domain="id")
        for split, count in SPLITS.items() for n in range(count)
    ]  # fmt: skip
    made = make_plan(
        config, lineage.build(config), questions, of_grath.get("choices", []),
        of_grath.get("asked", {}), instructions, {"m": 8e9}, 16,
    )  # fmt: skip
    assert made["price_per_device_hour"] == 2.0
    return {stage["stage"]: stage for stage in made["stages"]}


def test_grath_asks_1119_questions_in_both_rounds_and_trains_a_thousand_steps():
    stages = plan("grath", {}, choices=TRUTHFULQA, asked={"grath": ARC})
    checkpoints = 1 + 2 + 1  # two rounds and a placebo
    assert stages["train"]["steps"] == 3 * 1000
    assert stages["score"]["prompts"] == checkpoints * 817
    asked = 10 * PROBED + 2 * 1119 + checkpoints * TESTED
    assert stages["generate"]["prompts"] == asked
    assert 14 < 1000 * 16 / 1119 < 14.5  # the paper's passes over the questions


def test_flame_draws_four_responses_and_verifies_those_that_are_about_facts():
    sizes = {"flame": 3200, "prompts": 20_000, "long_form": LONG_FORM["flame"], "win_rate": 805}
    node = plan("flame", sizes)
    # Three first stages; five second ones and a placebo; 500 steps of each.
    assert node["train"]["steps"] == (3 + 6) * 500
    checkpoints, responses = 1 + 9, 2 * 20_000 * 4
    claims = (checkpoints * LONG_FORM["flame"] + responses * 1013 / 3200) * CLAIMS
    assert node["verify"]["prompts"] == pytest.approx(claims, rel=1e-4)
    evaluated = checkpoints * (LONG_FORM["flame"] + 805 + TESTED)
    # Every two claims are split out of a sentence.
    written = 170 * PROBED + 1013 * 10 + responses + evaluated + claims / 2
    assert node["generate"]["sequences"] == pytest.approx(written, rel=1e-4)
    assert node["train"]["device_seconds"] == 8 * node["train"]["seconds"]
    card = plan("flame", sizes, ["paper/hardware/one-card.yaml"])
    assert card["train"]["device_seconds"] == card["train"]["seconds"] > node["train"]["seconds"]
    assert card["train"]["disk_mib"] < node["train"]["disk_mib"] / 20


def test_apeft_trains_on_every_share_under_every_loss():
    stages = plan("apeft", {"apeft": 500, "long_form": LONG_FORM["apeft"]})
    trainings = 5 * 6 + 6
    assert stages["train"]["steps"] == trainings * 500
    claims = (500 * 10 + (1 + trainings) * LONG_FORM["apeft"]) * CLAIMS
    assert stages["verify"]["prompts"] == pytest.approx(claims, rel=1e-4)
