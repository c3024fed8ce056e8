"""The table of trainers: every row is whole, and a further one is a row and its function."""

import pytest
from plumbline.config.trainers import PAIRED_LOSSES, TRAINERS, Trainer, reading, training_on
from plumbline.config.training import Recipe
from plumbline.methods.tuning import Tuning
from plumbline.names import BASE
from plumbline.training import trainers
from plumbline.training.run import train
from test_preferences import RECIPE, make_run


def test_every_row_names_what_there_is():
    from trl import DPOConfig

    for name, row in TRAINERS.items():
        assert callable(getattr(trainers, row.build)), name
        assert row.options <= set(Recipe.model_fields), name
        assert row.description and row.rows in ("examples", "pairs"), name
        assert not row.reference or row.rows == "pairs", name
    known = DPOConfig.__dataclass_fields__["loss_type"].metadata["help"]
    assert [loss for loss in PAIRED_LOSSES if loss not in known] == []


def test_trainers_are_found_by_what_they_take():
    assert training_on("examples") == ("sft",)
    assert training_on("pairs") == ("dpo", "kto")
    assert reading("loss") == ("dpo",)
    assert reading("max_steps") == ("dpo", "kto")


@pytest.mark.parametrize(
    ("keys", "starts"),
    [
        ({}, True),
        ({"loss": "ipo"}, False),
        ({"loss": {"sigmoid": 0.8, "sft": 0.2}}, False),
        ({"loss": {"sigmoid": 0.5}}, False),
        ({"method": "kto"}, False),
    ],
)
def test_only_the_sigmoid_loss_starts_at_ln_2(keys, starts):
    assert Recipe(**{**RECIPE, **keys}).starts_at_ln_2 is starts


def test_a_further_trainer_is_a_row_and_the_function_that_builds_it(
    tiny_base, tmp_path, monkeypatch
):
    """One that learns the chosen answers alone, with no reference."""

    def chosen_trainer(recipe, pairs, tokenizer, **where):
        rows = [
            {
                "input_ids": pair.prompt_ids + pair.chosen_ids,
                "labels": [-100] * len(pair.prompt_ids) + pair.chosen_ids,
            }
            for pair in pairs
        ]
        return trainers.sft_trainer(recipe, rows, tokenizer, **where)

    row = Trainer("chosen", "on the chosen answers", rows="pairs", build="chosen_trainer")
    monkeypatch.setitem(TRAINERS, "chosen", row)
    monkeypatch.setattr(trainers, "chosen_trainer", chosen_trainer, raising=False)
    run = make_run(tmp_path, tiny_base)
    recipe = run.recipe.model_copy(update={"method": "chosen"})
    object.__setattr__(run, "recipe", recipe)
    assert "chosen" in training_on("pairs")
    tuning = Tuning("grath.r1", BASE, recipe)
    assert (tuning.examples, tuning.reference) == ("seed-{seed}/grath.r1/pairs.jsonl", None)
    summary = train(run)
    assert summary["examples"] == 8
    assert summary["curve"][-1]["loss"] < summary["curve"][0]["loss"]
