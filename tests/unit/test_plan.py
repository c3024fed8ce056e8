"""The plan's counts, computed by hand for a small experiment."""

import copy
from pathlib import Path

import pytest
import yaml
from plumbline.evaluation.overlaps import EvaluatedText
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage, plan
from plumbline.experiment.plan_text import as_text
from plumbline.methods.estimates import ENGINE_START_SECONDS, SPEED
from plumbline.records import ChoiceQuestion, Question
from plumbline.storage.files import InputError

DEFAULT = yaml.safe_load(
    (Path(__file__).parents[2] / "config/config.yaml").read_text(encoding="utf-8")
)


UNSHIFTED = DEFAULT["evaluation"] | {"token_shift": None}
WITHOUT = UNSHIFTED | {"long_form": None}
TASK = [EvaluatedText(id=str(n), question="q" * 40, choices=["abcd"] * 4) for n in range(2)]
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
        {task.task: TASK for task in config.evaluation.harness},
    )  # fmt: skip
    return {stage["stage"]: stage for stage in made["stages"]}


def test_too_few_dev_questions_are_told_before_a_model_is_probed():
    with pytest.raises(InputError, match=r"relation r has 20 dev question.*21 exemplars"):
        planned(slick=DEFAULT["slick"] | {"shots": 21})


def test_the_default_experiment():
    stages = planned(flame=None, evaluation=WITHOUT)
    # 3 mixes with two stops and their parent, two rounds and a placebo, and the base.
    # P(True) of 75 questions of 16 tokens, shown twice with 40 around them.
    probed = 45 + 10 + 20
    assert stages["score"]["jobs"] == 11 + 1
    assert stages["score"]["prompts"] == 11 * 10 + probed
    assert stages["score"]["sequences"] == 11 * 20 + 2 * probed
    assert stages["score"]["tokens"] == 11 * 10 * (40 + 4 + 4) / 4 + probed * (2 * 16 + 40)
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


PLAN = {
    "device": "one cuda device",
    "price_per_device_hour": None,
    "stages": [
        {"stage": "import", "jobs": 1, "prompts": 0, "sequences": 0, "tokens": 0, "steps": 0,
         "disk_mib": 256.0, "seconds": 60.0, "device_seconds": 0.0},
        {"stage": "train", "jobs": 2, "prompts": 0, "sequences": 0, "tokens": 9000, "steps": 30,
         "disk_mib": 512.0, "seconds": 5400.0, "device_seconds": 21600.0},
    ],
}  # fmt: skip


def test_the_text_has_device_hours_and_totals():
    lines = as_text(PLAN).splitlines()
    assert lines[2].split()[-2:] == ["time", "device-hours"]
    assert lines[4].split()[-5:] == ["30", "512", "1.5", "h", "6.00"]
    assert lines[5].split() == ["total", "768", "1.5", "h", "6.00"]


def test_money_is_shown_where_there_is_a_price():
    assert "cost" not in as_text(PLAN)
    lines = as_text(PLAN | {"price_per_device_hour": 2.5}).splitlines()
    assert [line.split()[-1] for line in lines[2:6]] == ["cost", "0.00", "15.00", "15.00"]
    assert "2.5 per device-hour" in lines[-1]


def test_a_price_changes_no_count():
    assert planned(price_per_device_hour=3.0) == planned()


def seconds_of(**changes):
    recipes = copy.deepcopy(DEFAULT["recipes"])
    return planned(device="cuda", flame=None, evaluation=WITHOUT, recipes=recipes, **changes)


def test_what_several_devices_do_is_paid_for_all_of_them():
    one = seconds_of()
    four = seconds_of(training={"processes": 4})
    assert one["train"]["device_seconds"] == one["train"]["seconds"]
    assert four["train"]["device_seconds"] == 4 * four["train"]["seconds"]
    # Steps are shared out; what starts a training and what is asked after epochs is not.
    assert one["train"]["seconds"] / 4 < four["train"]["seconds"] < one["train"]["seconds"]
    split = seconds_of(generation=DEFAULT["generation"] | {"tensor_parallel": 2})
    assert split["generate"]["device_seconds"] == 2 * split["generate"]["seconds"]
    # An import holds no device.
    assert one["import"]["device_seconds"] == 0 < one["import"]["seconds"]


def test_activations_that_are_computed_twice_cost_a_forward_pass():
    """Of pairs two more operations to eight; the questions after epochs cost the same."""
    kept, twice = (
        seconds_of(training={"gradient_checkpointing": again}, grath=None)["train"]
        for again in (False, True)
    )
    trained = 3 * 16 * 5 + 32 * 5  # examples of the mixes and their parent, in five epochs
    more = twice["seconds"] - kept["seconds"]
    assert more == pytest.approx(2 * 1e8 * trained * 16 / SPEED["cuda"])


def test_each_shard_starts_an_engine():
    shards = seconds_of(generation=DEFAULT["generation"] | {"shards": 3})["generate"]
    more = shards["seconds"] - seconds_of()["generate"]["seconds"]
    assert more == pytest.approx(2 * shards["jobs"] * ENGINE_START_SECONDS["cuda"])


def test_claims_that_models_split_and_judge_are_paid_for():
    judged = {"kind": "retrieval", "judge": "base", "k": 5, "passages": {"format": "facts"}}
    free, paid = planned(), planned(verification=judged, claims={"splitter": "model"})
    assert "verify" not in free
    # Responses of FLAME's two parents; long answers of its four checkpoints and the base.
    assert paid["verify"]["jobs"] == 2 + 5
    sentences = paid["generate"]["prompts"] - free["generate"]["prompts"]
    assert sentences == pytest.approx(paid["verify"]["prompts"] / 2, abs=7)
    each = paid["verify"]["tokens"] / paid["verify"]["prompts"]
    assert each == pytest.approx(5 * 100 * 4 / 3 + 3 * 6.4, abs=1)


def test_tasks_of_the_harness_show_their_examples_before_every_choice():
    task = {"task": "arc", "folder": "file:tasks", "shots": 3}
    less, more = planned(), planned(evaluation=DEFAULT["evaluation"] | {"harness": [task]})
    added = {key: more["score"][key] - less["score"][key] for key in ("prompts", "sequences")}
    jobs = more["score"]["jobs"] - less["score"]["jobs"]
    assert added == {"prompts": jobs * 2, "sequences": jobs * 2 * 4}
    # Four texts of a question, each of four questions of 10 tokens and four choices of one.
    tokens = more["score"]["tokens"] - less["score"]["tokens"]
    assert tokens == jobs * 2 * (4 * 4 * 10 + 4 * 4)


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
    # Responses and answers of the base; 30 questions few-shot and as turns of a chat, of the new
    # checkpoints, and as turns of the base, which nothing else has asked so.
    asked = 12 * 30 * 2 + 30
    assert more == {
        "jobs": 2 + 12, "prompts": 24 + 24 + asked, "sequences": 24 * 4 + 24 * 8 + asked
    }  # fmt: skip
