"""A training set and the composition.json that tells of it."""

import pytest
from plumbline.records import Pair
from plumbline.storage.files import InputError, write_json
from plumbline.training.sets import Composition, TrainingSet

LOST = {"stage": "s", "item": "pairs", "reason": "tie", "n": 2}


def pair(name, source):
    return Pair(id=name, prompt="x", chosen="y", rejected="z", source=source)


def test_what_is_filtered_out_is_told_beside_what_was_dropped_before(tmp_path):
    whole = TrainingSet("a", [pair("1", "b"), pair("2", "b"), pair("3", "c")], [LOST], {"asked": 5})
    assert whole.parts("source", ("a", "b")) == {"a": 0, "b": 2, "c": 1}
    fewer = {**LOST, "reason": "known", "n": 1}
    left = whole.only(whole.rows[:2], [fewer], known=1)
    found = left.composition(left.parts("source"), mean=0.5)
    assert found.model_dump() == {
        "name": "a", "rows": 2, "parts": {"b": 2},
        "counted": {"asked": 5, "known": 1, "mean": 0.5}, "dropped": [LOST, fewer],
    }  # fmt: skip
    assert len(whole.rows) == 3 and whole.dropped == [LOST]
    found.write(tmp_path / "composition.json")
    assert Composition.read(tmp_path / "composition.json") == found


def test_a_file_of_another_form_is_refused(tmp_path):
    write_json(tmp_path / "composition.json", {"name": "a", "pairs": 3, "dropped": []})
    with pytest.raises(
        InputError, match=r"composition\.json: rows: Field required.*build that file"
    ):
        Composition.read(tmp_path / "composition.json")
