import copy
from pathlib import Path

import pytest
import yaml
from plumbline import lineage
from plumbline.config import experiment as config
from plumbline.files import InputError
from plumbline.lineage import Lineage, Tuning

DEFAULT = yaml.safe_load(
    (Path(__file__).parents[2] / "config/config.yaml").read_text(encoding="utf-8")
)
RECIPE = config.load(copy.deepcopy(DEFAULT)).recipes["sft"]


def tuning(name, parent="base", stops=("convergence",)):
    return Tuning(name=name, parent=parent, recipe=RECIPE, stops=stops)


def test_the_default_experiment():
    found = lineage.build(config.load(copy.deepcopy(DEFAULT)))
    assert found.checkpoints == [
        "base",
        *(
            f"mix.unknown-{x}.{stop}"
            for x in (0, 50, 100)
            for stop in ("early_stop", "convergence")
        ),
    ]
    checkpoint = "mix.unknown-50.early_stop"
    assert found.parent(checkpoint) == "base"
    assert found.parent("base") == ""
    assert found.folder(checkpoint) == "seed-{seed}/mix.unknown-50/early_stop"
    assert found.folders(checkpoint, [1, 7]) == [
        "seed-1/mix.unknown-50/early_stop", "seed-7/mix.unknown-50/early_stop",
    ]  # fmt: skip
    assert found.folders("base", [1, 7]) == ["base"]
    assert found.marker(checkpoint) == "seed-{seed}/mix.unknown-50/training.json"
    assert found.marker("base") == "base/checkpoint.json"


def test_a_folder_leads_back_to_its_checkpoint():
    raw = copy.deepcopy(DEFAULT)
    raw["mixes"]["unknown_percent"] = [0, 12.5]
    found = lineage.build(config.load(raw))
    assert "mix.unknown-12.5.early_stop" in found.checkpoints
    for checkpoint in found.checkpoints[1:]:
        assert found.at(found.folder(checkpoint).format(seed=3)) == (checkpoint, "3")
    assert found.at("base") == ("base", "0")
    with pytest.raises(KeyError):
        found.at("seed-1/mix.unknown-0/other")


def test_overrides_reach_their_mix_alone():
    raw = copy.deepcopy(DEFAULT)
    raw["mixes"]["overrides"] = {"unknown-50": {"epochs": 3}}
    tunings = lineage.build(config.load(raw)).tunings
    epochs = {name: one.recipe.epochs for name, one in tunings.items()}
    others = DEFAULT["recipes"]["sft"]["epochs"]
    assert epochs == {"mix.unknown-0": others, "mix.unknown-50": 3, "mix.unknown-100": others}


def test_a_chain_of_parents_in_any_order():
    both = ("early_stop", "convergence")
    found = Lineage([
        tuning("third", "second.convergence"), tuning("second", "first.early_stop"),
        tuning("first", stops=both), tuning("other", "first.early_stop"),
    ])  # fmt: skip
    assert found.parent("third.convergence") == "second.convergence"


@pytest.mark.parametrize(
    ("tunings", "message"),
    [
        ([tuning("a", "bass")], "a: its parent bass does not exist. Did you mean base?"),
        ([tuning("a"), tuning("b", "a.early_stop")], "b: its parent a.early_stop does not exist."),
        ([tuning("a"), tuning("b", "a")], "b: its parent a does not exist."),
        ([tuning("a", "a.convergence")], "a would be its own ancestor (a ← a)"),
        ([tuning("a", "b.convergence"), tuning("b", "a.convergence")],
         "a would be its own ancestor (a ← b ← a)"),
    ],
)  # fmt: skip
def test_impossible_ancestries(tunings, message):
    with pytest.raises(InputError) as caught:
        Lineage(tunings)
    assert str(caught.value).startswith(message)
