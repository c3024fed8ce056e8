"""The plan's counts, computed by hand for a small experiment."""

import copy
from pathlib import Path

import yaml
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage, plan
from plumbline.experiment.plan_text import as_text
from plumbline.records import ChoiceQuestion, Question

DEFAULT = yaml.safe_load(
    (Path(__file__).parents[2] / "config/config.yaml").read_text(encoding="utf-8")
)


UNSHIFTED = DEFAULT["evaluation"] | {"token_shift": None}
WITHOUT = UNSHIFTED | {"long_form": None}
SETS = {"flame": 64, "prompts": 28, "long_form": 28, "win_rate": 14, "apeft": 24}


def planned(**changes):
    raw = copy.deepcopy(DEFAULT) | {"apeft": None} | changes
    config = experiment.load(raw)
    questions = [
        Question(id=f"{split}{n}", relation="r", subject=f"s{n}", question="q" * 40, split=split,
                 answers=["a" * 8], domain="id")
        for split, count in (("train", 200), ("dev", 20), ("test", 30)) for n in range(count)
    ]  # fmt: skip
    choices = [
        ChoiceQuestion(id=f"c{n}", question="q" * 40, choices=["a" * 4, "b" * 4], labels=[1, 0])
        for n in range(10)
    ]
    built = lineage.build(config)
    asked = {"grath": choices} if config.grath else {}
    made = plan.make_plan(
        config, built, questions, choices, asked, SETS, {"m": 1e8}, 2,
        questions[:7] if config.evaluation.closed_book else [],
    )  # fmt: skip
    return {stage["stage"]: stage for stage in made["stages"]}


def test_the_default_experiment():
    stages = planned(flame=None, evaluation=WITHOUT)
    # 3 mixes with two stops and their parent, two rounds and a placebo, and the base.
    assert stages["score"]["jobs"] == 11
    assert stages["score"]["prompts"] == 11 * 10 and stages["score"]["sequences"] == 11 * 20
    assert stages["score"]["tokens"] == 11 * 10 * (40 + 4 + 4) / 4
    # Probing; a closed book of each checkpoint; pairs by the parents of both rounds.
    assert stages["generate"]["jobs"] == 1 + 11 + 2
    assert stages["train"]["jobs"] == 4 + 3
    # 16 of 45 training questions probed are Unknown, and as many in a mix: a step in each of 5
    # epochs; two for the 32 facts that teach the form.
    assert stages["train"]["steps"] == 3 * 5 + 2 * 5 + 3 * 8


def test_further_closed_book_questions_are_asked_of_every_checkpoint_in_every_form():
    changes = dict(flame=None, grath=None)
    further = [{"name": "nq", "format": "nq_open", "source": "file:x"}]
    more = planned(evaluation=WITHOUT | {"closed_book": further}, **changes)["generate"]
    less = planned(evaluation=WITHOUT, **changes)["generate"]
    # The mixes' six stops, their parent and the base; few-shot and in the mixes' own form.
    assert more["jobs"] - less["jobs"] == 8
    assert more["prompts"] - less["prompts"] == 8 * 2 * 7


def test_seeds_share_what_the_base_writes():
    stages = planned(seeds=[1, 2, 3], flame=None, evaluation=WITHOUT)
    # Of each seed: 10 tuned checkpoints' closed books, and the second round's pairs.
    assert stages["generate"]["jobs"] == 1 + (1 + 3 * 10) + (1 + 3)
    assert stages["train"]["jobs"] == 3 * 7


def test_without_rounds_there_are_none():
    stages = planned(grath=None, flame=None, evaluation=WITHOUT)
    assert stages["train"]["jobs"] == 4


def test_the_text_ends_in_the_totals():
    config = experiment.load(copy.deepcopy(DEFAULT))
    question = Question(id="a", relation="r", subject="s", question="q", answers=["a"],
                        split="train", domain="id")  # fmt: skip
    made = plan.make_plan(config, lineage.build(config), [question], [], {}, SETS, {"m": 1e8}, 2)
    assert as_text(made).splitlines()[-1].startswith("total")


def test_a_shift_is_scored_and_both_sides_write_at_length():
    shift = {"pairs": [{"tuned": "grath.r2"}, {"tuned": "flame.sft", "reference": "base"}]}
    without = planned(evaluation=UNSHIFTED)
    stages = planned(evaluation=UNSHIFTED | {"token_shift": shift})
    more = {
        key: stages["score"][key] - without["score"][key] for key in ("jobs", "prompts", "tokens")
    }
    # 28 answers of two checkpoints, each under two models: 20 tokens of prompt, 96 of answer. Two
    # rounds of GRATH write at length and are compared with 14 answers in two orders.
    compared = 2 * 2 * 14
    tokens = 2 * 2 * 28 * (20 + 96) + compared * (350 + 2 * 96)
    assert more == {"jobs": 2 + 2, "prompts": 2 * 28 + compared, "tokens": tokens}
    assert stages["generate"]["jobs"] - without["generate"]["jobs"] == 2


def test_flame_and_long_answers_come_on_top():
    without, stages = planned(flame=None, evaluation=WITHOUT), planned(evaluation=UNSHIFTED)
    assert stages["train"]["jobs"] - without["train"]["jobs"] == 4
    # 64 instructions in two passes by eights, and six steps, of two trainings each.
    assert stages["train"]["steps"] - without["train"]["steps"] == 2 * 16 + 2 * 6
    # Own answers; responses of two parents; four closed books of the new checkpoints; long answers
    # of five.
    more = stages["generate"]["jobs"] - without["generate"]["jobs"]
    assert more == 1 + 2 + 4 + 5
    # Choices of four; the classifier; comparisons of five.
    assert stages["score"]["jobs"] - without["score"]["jobs"] == 4 + 1 + 5


def test_apeft_comes_on_top():
    apeft = copy.deepcopy(DEFAULT["apeft"]) | {"losses": ["sigmoid", "ipo", "kto"]}
    without = planned(seeds=[1, 2], flame=None, evaluation=WITHOUT)
    stages = planned(seeds=[1, 2], flame=None, evaluation=WITHOUT, apeft=apeft)
    more = {key: stages["train"][key] - without["train"][key] for key in ("jobs", "steps")}
    # Two shares under three losses for both seeds, six steps each.
    assert more == {"jobs": 2 * 2 * 3, "steps": 2 * 2 * 3 * 6}
    again = planned(seeds=[1, 2], flame=None, evaluation=WITHOUT, apeft=apeft | {"placebo": True})
    # The higher share once more.
    assert again["train"]["jobs"] - stages["train"]["jobs"] == 2 * 3
    keys = ("jobs", "prompts", "sequences")
    more = {key: stages["generate"][key] - without["generate"][key] for key in keys}
    # Responses and answers of the base; 20 questions in three forms, of the new checkpoints.
    asked = 12 * 20 * 3
    assert more == {
        "jobs": 2 + 12, "prompts": 24 + 24 + asked, "sequences": 24 * 4 + 24 * 8 + asked
    }  # fmt: skip
