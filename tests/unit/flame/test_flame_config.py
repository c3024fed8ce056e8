"""FLAME's section: what goes together, and what is told where it does not."""

import copy
from pathlib import Path

import pytest
import yaml
from plumbline.experiment import config as experiment
from plumbline.experiment.lineage import build
from plumbline.storage.files import InputError
from snakemake.utils import update_config

FOLDER = Path(__file__).parents[3] / "config"
DEFAULT = yaml.safe_load((FOLDER / "config.yaml").read_text(encoding="utf-8"))


def load(**flame):
    raw = copy.deepcopy(DEFAULT)
    update_config(raw, {"flame": flame})
    return experiment.load(raw)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sft": ["sft", "sft-rag"], "dpo": []}, "flame: passages: missing; sft-rag trains on answers "
         "written with passages; name them, e.g. passages: {format: facts}."),
        ({"sft": ["sft-rag"], "dpo": [], "passages": {"format": "rows"}}, "flame.passages: source: "
         "missing; format: rows needs one, e.g. file:my.jsonl."),
        ({"dpo": ["sft.facttune-fs"]}, "flame.dpo: sft.facttune-fs is not of the form PARENT.PAIRS; "
         "parents: sft, sft-fact, sft-star, sft-rag; pairs: dpo, dpo-fact, dpo-star, dpo-star-gaps, "
         "dpo-star-combined, facttune, facttune-mc."),
        ({"dpo": ["sft-rag.dpo"]}, "flame: dpo: sft-rag.dpo starts from sft-rag, which is not in sft; "
         "add it."),
        ({"augment": 0}, "flame.augment: found 0; expected 1 or more."),
        ({"entities": -1}, "flame.entities: found -1; expected 0 or more."),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(changes, line):
    with pytest.raises(InputError) as caught:
        load(**changes)
    assert str(caught.value).splitlines()[1:] == [f"  - {line}"]


def test_facttune_by_confidence_is_a_training_of_its_own():
    lineage = build(load(dpo=["sft.facttune", "sft.facttune-mc"]))
    assert lineage.parent("flame.sft.facttune-mc") == "flame.sft"
    assert "flame.sft.facttune-mc" in lineage.checkpoints


def test_entities_join_the_instructions():
    assert [one.format for one in load().flame.sources()] == ["embedded"]
    instructions, entities = load(entities=7).flame.sources()
    assert instructions.limit == DEFAULT["flame"]["instructions"]["limit"]
    assert (entities.format, entities.limit) == ("entities", 7)


def test_the_pilot_compares_two_teachers_and_no_more():
    raw = copy.deepcopy(DEFAULT)
    update_config(raw, yaml.safe_load((FOLDER / "pilot.yaml").read_text(encoding="utf-8")))
    assert build(experiment.load(raw)).checkpoints == ["base", "flame.sft-star", "flame.sft-rag"]
