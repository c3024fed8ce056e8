import copy
from pathlib import Path

import pytest
import yaml
from plumbline.experiment import config, lineage
from plumbline.experiment.lineage import Lineage
from plumbline.methods.tuning import Tuning
from plumbline.storage.files import InputError

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
        "mix.form",
        *(
            f"mix.unknown-{x}.{stop}"
            for x in (0, 50, 100)
            for stop in ("early_stop", "convergence")
        ),
        "grath.r1",
        "grath.r2",
        "grath.r2.placebo",
        "flame.sft",
        "flame.sft-star",
        "flame.sft.dpo",
        "flame.sft-star.dpo-star",
        "apeft.atomic-0.sigmoid",
        "apeft.atomic-50.sigmoid",
    ]
    checkpoint = "mix.unknown-50.early_stop"
    assert found.parent(checkpoint) == "mix.form"
    assert found.parent("mix.form") == "base"
    assert found.folder("mix.form") == "seed-{seed}/mix.form/final"
    assert found.tunings["mix.form"].probes is None
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


def test_the_form_is_learnt_first_only_where_the_mixes_start_from_it():
    raw = copy.deepcopy(DEFAULT)
    raw["mixes"]["overrides"] = {"form": {"epochs": 2}}
    assert lineage.build(config.load(raw)).tunings["mix.form"].recipe.epochs == 2
    raw["mixes"]["unknown_percent"] = []
    with pytest.raises(InputError, match=r"mixes.overrides.form: no such mix"):
        config.load(raw)
    raw["mixes"] |= {"overrides": {}, "unknown_percent": [0], "parent": "base"}
    found = lineage.build(config.load(raw))
    assert (
        "mix.form" not in found.checkpoints and found.parent("mix.unknown-0.early_stop") == "base"
    )


def test_overrides_reach_their_mix_alone():
    raw = copy.deepcopy(DEFAULT)
    raw["mixes"]["overrides"] = {"unknown-50": {"epochs": 3}}
    tunings = lineage.build(config.load(raw)).tunings
    epochs = {n: one.recipe.epochs for n, one in tunings.items() if n.startswith("mix.")}
    others = DEFAULT["recipes"]["sft"]["epochs"]
    assert epochs.pop("mix.form") == others
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


def test_rounds_are_each_others_parents():
    raw = copy.deepcopy(DEFAULT)
    raw["grath"]["rounds"] = 3
    found = lineage.build(config.load(raw))
    assert [found.parent(f"grath.r{k}") for k in (1, 2, 3)] == ["base", "grath.r1", "grath.r2"]
    assert found.folder("grath.r2") == "seed-{seed}/grath.r2/final"
    assert found.marker("grath.r2") == "seed-{seed}/grath.r2/training.json"
    assert found.at("seed-3/grath.r2/final") == ("grath.r2", "3")
    # The base writes the same for all seeds, so that the first round's pairs are shared.
    assert found.tunings["grath.r1"].examples == "grath/r1/pairs.jsonl"
    assert found.tunings["grath.r2"].examples == "seed-{seed}/grath.r2/pairs.jsonl"
    raw["grath"]["parent"] = "mix.unknown-0.convergence"
    found = lineage.build(config.load(raw))
    assert found.parent("grath.r1") == "mix.unknown-0.convergence"
    assert found.tunings["grath.r1"].examples == "seed-{seed}/grath.r1/pairs.jsonl"
    raw["grath"] = None
    assert not [name for name in lineage.build(config.load(raw)).tunings if "grath" in name]


def test_variants_of_the_knowledge_filter_are_families_of_their_own():
    raw = copy.deepcopy(DEFAULT)
    raw["grath"]["keep_unknown"] = [100, 0]
    raw["flame"]["keep_unknown"] = [12.5]
    found = lineage.build(config.load(raw))
    names = [name for name in found.checkpoints if name.startswith(("grath", "flame"))]
    assert names == [
        "grath.r1",
        "grath.r2",
        "grath.r2.placebo",
        "grath-unknown-0.r1",
        "grath-unknown-0.r2",
        "grath-unknown-0.r2.placebo",
        "flame-unknown-12.5.sft",
        "flame-unknown-12.5.sft-star",
        "flame-unknown-12.5.sft.dpo",
        "flame-unknown-12.5.sft-star.dpo-star",
    ]
    assert found.parent("grath-unknown-0.r1") == "base"
    assert found.parent("grath-unknown-0.r2") == "grath-unknown-0.r1"
    assert found.tunings["grath-unknown-0.r1"].examples == "grath-unknown-0/r1/pairs.jsonl"
    assert found.parent("flame-unknown-12.5.sft.dpo") == "flame-unknown-12.5.sft"
    folder = "seed-1/flame-unknown-12.5.sft.dpo/final"
    assert found.at(folder) == ("flame-unknown-12.5.sft.dpo", "1")


def test_a_reference_is_a_file_beside_the_pairs_that_sweeps_share():
    raw = copy.deepcopy(DEFAULT)
    raw["recipes"]["grath"]["reference"] = {"fixed": "base"}
    found = lineage.build(config.load(raw)).tunings
    assert found["grath.r1"].reference_file == "grath/r1/reference/base-256-bfloat16.jsonl"
    raw["recipes"]["grath"] |= {"beta": 0.5, "loss": "ipo"}
    again = lineage.build(config.load(raw)).tunings
    assert again["grath.r1"].reference_file == found["grath.r1"].reference_file
    second = "seed-{seed}/grath.r2/reference/base-256-bfloat16.jsonl"
    assert found["grath.r2"].reference_file == second
    raw["recipes"]["grath"]["reference"] = "moving"
    assert lineage.build(config.load(raw)).tunings["grath.r2"].reference is None
    # Where all weights are trained, no adapter can be switched off.
    raw["recipes"]["grath"]["parameters"] = "full"
    assert lineage.build(config.load(raw)).tunings["grath.r2"].reference == "grath.r1"
    raw["recipes"]["grath"]["reference"] = {"fixed": "grath.r2"}
    with pytest.raises(InputError, match=r"grath.r1: its reference grath.r2 is not one of its anc"):
        lineage.build(config.load(raw))


def test_flames_second_stage_starts_from_its_first():
    found = lineage.build(config.load(copy.deepcopy(DEFAULT)))
    assert found.parent("flame.sft-star") == "base"
    assert found.parent("flame.sft-star.dpo-star") == "flame.sft-star"
    assert found.folder("flame.sft-star.dpo-star") == "seed-{seed}/flame.sft-star.dpo-star/final"
    assert found.at("seed-2/flame.sft.dpo/final") == ("flame.sft.dpo", "2")
    # The file holds a pass for each epoch of the recipe.
    assert found.tunings["flame.sft"].recipe.epochs == 1


def test_apefts_losses_share_a_shares_training_file():
    raw = copy.deepcopy(DEFAULT)
    raw["apeft"] |= {"losses": ["ipo", "kto"], "atomic_percent": [0, 12.5], "parent": "flame.sft"}
    raw["apeft"]["keep_unknown"] = [100, 0]
    raw["recipes"]["apeft"]["parameters"] = "full"
    found = lineage.build(config.load(raw))
    apeft = {name: one for name, one in found.tunings.items() if name.startswith("apeft")}
    assert list(apeft) == [
        f"{kind}.atomic-{share}.{loss}"
        for kind in ("apeft", "apeft-unknown-0")
        for share in ("0", "12.5")
        for loss in ("ipo", "kto")
    ]
    ipo, kto = (apeft[f"apeft-unknown-0.atomic-12.5.{loss}"] for loss in ("ipo", "kto"))
    data = "seed-{seed}/apeft-unknown-0/atomic-12.5"
    assert ipo.examples == kto.examples == f"{data}/pairs.jsonl"
    assert ipo.reference_file == f"{data}/reference/flame.sft-192-mixed.jsonl"
    assert (ipo.recipe.loss, kto.recipe.method, ipo.parent) == ("ipo", "kto", "flame.sft")
    assert found.at("seed-3/apeft.atomic-12.5.kto/final") == ("apeft.atomic-12.5.kto", "3")
