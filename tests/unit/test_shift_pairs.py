"""Which checkpoints' token distributions are compared: from the configuration and the lineage."""

import copy
from pathlib import Path

import pytest
import yaml
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.experiment.shift_pairs import long_form_checkpoints, shift_pairs
from plumbline.storage.files import InputError

DEFAULT = yaml.safe_load(
    (Path(__file__).parents[2] / "config/config.yaml").read_text(encoding="utf-8")
)


def with_pairs(*pairs, **evaluation):
    raw = copy.deepcopy(DEFAULT)
    raw["evaluation"]["token_shift"] = {"pairs": list(pairs)} if pairs else None
    raw["evaluation"] |= evaluation
    config = experiment.load(raw)
    return config, lineage.build(config)


def test_without_a_reference_it_is_the_parent():
    found = shift_pairs(*with_pairs({"tuned": "flame.sft.dpo"}, {"tuned": "grath.r2"}))
    assert found == [("flame.sft.dpo", "flame.sft"), ("grath.r2", "grath.r1")]


def test_a_star_stands_for_every_other_checkpoint_it_fits():
    pairs = {"tuned": "flame.sft*", "reference": "flame.sft"}, {"tuned": "nothing.*"}
    assert [pair.tuned for pair in shift_pairs(*with_pairs(*pairs))] == [
        "flame.sft-star", "flame.sft.dpo", "flame.sft-star.dpo-star",
    ]  # fmt: skip
    assert "base" not in [pair.tuned for pair in shift_pairs(*with_pairs({"tuned": "*"}))]


def test_a_pair_is_compared_once_and_may_be_one_checkpoint():
    pairs = [{"tuned": "grath.r1"}, {"tuned": "grath.r1", "reference": "base"}]
    pairs.append({"tuned": "base", "reference": "base"})
    assert shift_pairs(*with_pairs(*pairs)) == [("grath.r1", "base"), ("base", "base")]


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        ({"tuned": "grath.r3"}, r"pairs\[0\].tuned: grath.r3 does not exist. Did you mean grath.r"),
        (
            {"tuned": "nothing.*", "reference": "bas"},
            r"pairs\[0\].reference: bas does not exist. Did you mean base\?",
        ),
        ({"tuned": "base"}, r"pairs\[0\].tuned: base has no parent; name a reference"),
    ],
)
def test_mistakes_are_told(pair, line):
    with pytest.raises(InputError, match=line):
        shift_pairs(*with_pairs(pair))


def test_both_sides_write_at_length():
    pair = {"tuned": "grath.r2"}
    long_form = DEFAULT["evaluation"]["long_form"] | {"checkpoints": ["flame.sft"]}
    found = long_form_checkpoints(*with_pairs(pair, long_form=long_form))
    assert found == ["grath.r1", "grath.r2", "flame.sft"]
    without = long_form_checkpoints(*with_pairs(long_form=long_form))
    assert without == ["flame.sft"] and shift_pairs(*with_pairs()) == []
    assert long_form_checkpoints(*with_pairs(long_form=None)) == []


def test_it_needs_long_answers():
    with pytest.raises(
        InputError, match=r"evaluation.token_shift: needs .* set evaluation.long_form"
    ):
        with_pairs({"tuned": "grath.r2"}, long_form=None)
