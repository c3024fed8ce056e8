"""A preference training's placebo: the same pairs, half of them the other way round."""

import copy
from pathlib import Path

import pytest
import yaml
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.records import Pair
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.storage.files import InputError, read_rows, write_rows
from plumbline.training.placebo import swapped
from programs import program

DEFAULT = yaml.safe_load(
    (Path(__file__).parents[2] / "config/config.yaml").read_text(encoding="utf-8")
)


def pairs(n=400):
    return [
        Pair(
            id=f"{k}", prompt=f"Question {k}", chosen=f"right {k}", rejected=f"wrong {k}",
            chosen_scores={"factual": 1.0}, rejected_scores={"factual": 0.0}, source="factual",
        )
        for k in range(n)
    ]  # fmt: skip


def test_half_of_the_pairs_are_turned_with_all_that_is_said_of_their_sides():
    made = swapped(pairs(), seed=1)
    assert [one.id for one in made] == [one.id for one in pairs()]
    # 200 expected, a standard deviation of 10.
    assert 150 < sum(one.swapped for one in made) < 250
    for one, was in zip(made, pairs(), strict=True):
        assert (one.prompt, one.source) == (was.prompt, "factual")
        assert (one.chosen == was.chosen) is not one.swapped
        assert {one.chosen, one.rejected} == {was.chosen, was.rejected}
        # Each side keeps its own score.
        assert one.chosen_scores["factual"] == float(one.chosen.startswith("right"))
        assert one.rejected_scores["factual"] == float(one.rejected.startswith("right"))


def test_the_draw_is_of_the_seed_and_the_pair_alone():
    one, other = (
        {p.id: p.swapped for p in swapped(pairs(), seed)} for seed in (1, 2)
    )  # fmt: skip
    differ = sum(one[name] != other[name] for name in one)
    assert 150 < differ < 250
    part = swapped(reversed(pairs()[:50]), 1)
    assert {p.id: p.swapped for p in part} == {name: one[name] for name in map(str, range(50))}


def test_a_repeated_pair_keeps_one_direction():
    twice = [one.model_copy(update={"id": f"{one.id}@{n}"}) for n in (0, 1) for one in pairs(40)]
    made = [one.swapped for one in swapped(twice, 1)]
    assert made[:40] == made[40:] and len(set(made)) == 2


def test_the_program_writes_the_pairs_and_what_was_done(tmp_path, monkeypatch):
    write_rows(tmp_path / "in.jsonl", pairs(20))
    out, composition = tmp_path / "out.jsonl", tmp_path / "composition.json"
    of = {"of": tmp_path / "in.jsonl", "pairs": out, "composition": composition}
    program(monkeypatch, "swap_pairs", name="grath.r2.placebo", seed=3, **of)
    written = list(read_rows(out, Pair))
    assert written == swapped(pairs(20), 3)
    turned = sum(one.swapped for one in written)
    text = composition.read_text(encoding="utf-8")
    assert yaml.safe_load(text) == {
        "name": "grath.r2.placebo", "rows": 20, "parts": {}, "counted": {"swapped": turned},
        "dropped": [],
    }  # fmt: skip


def built(**changes):
    raw = copy.deepcopy(DEFAULT)
    for name, keys in changes.items():
        raw[name] |= keys
    return lineage.build(experiment.load(raw))


def test_the_last_of_each_method_has_a_placebo_where_it_is_asked_for():
    off = built(grath={"placebo": False})
    assert not [name for name in off.checkpoints if "placebo" in name]
    on = built(
        grath={"placebo": True, "keep_unknown": [100, 0]},
        flame={"placebo": True},
        apeft={"placebo": True, "losses": ["sigmoid", "kto"], "atomic_percent": [50, 0]},
    )
    made = [name for name in on.checkpoints if name.endswith(".placebo")]
    assert made == [
        "grath.r2.placebo",
        "grath-unknown-0.r2.placebo",
        "flame.sft-star.dpo-star.placebo",
        "apeft.atomic-50.sigmoid.placebo",
        "apeft.atomic-50.kto.placebo",
    ]
    for name in made:
        one, of = on.tunings[name], on.tunings[name.removesuffix(".placebo")]
        assert (one.parent, one.recipe) == (of.parent, of.recipe)
        assert one.examples == f"seed-{{seed}}/{name}/pairs.jsonl"


def test_the_placebo_of_pairs_that_seeds_share_is_drawn_by_each_seed():
    one = built(grath={"placebo": True, "rounds": 1})
    assert one.tunings["grath.r1"].examples == "grath/r1/pairs.jsonl"
    assert one.tunings["grath.r1.placebo"].examples == "seed-{seed}/grath.r1.placebo/pairs.jsonl"


def test_a_fixed_reference_is_scored_on_the_turned_pairs():
    raw = copy.deepcopy(DEFAULT)
    raw["recipes"]["grath"]["reference"] = {"fixed": "base"}
    found = lineage.build(experiment.load(raw)).tunings["grath.r2.placebo"]
    assert found.reference_file == "seed-{seed}/grath.r2.placebo/reference/base-256-bfloat16.jsonl"


def test_without_a_second_stage_there_is_nothing_to_turn():
    with pytest.raises(InputError, match="flame: placebo: dpo names no preference training"):
        built(flame={"placebo": True, "dpo": []})


def test_it_is_named_after_its_training():
    assert checkpoint_label("grath.r2.placebo") == "GRATH, round 2, placebo"
    assert checkpoint_label("flame.sft-star.dpo-star.placebo") == "FLAME: SFT★, DPO★, placebo"
    label = "APEFT: 50 % atomic, sigmoid, placebo"
    assert checkpoint_label("apeft.atomic-50.sigmoid.placebo") == label
    names = ["base", "grath.r1", "grath.r2", "grath.r2.placebo", "flame.sft"]
    assert sorted(reversed(names), key=checkpoint_order) == names
