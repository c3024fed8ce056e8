"""The store of finished work: what is kept, what is damaged, and that kinds share one form."""

import json

import pytest
from plumbline.generation.engine import Completion
from plumbline.generation.store import Store
from plumbline.storage.append_only import AppendOnly
from plumbline.verification.judging import Judgement, Kept


class Numbers(AppendOnly[int]):
    FIELD, MADE = "number", "counted"

    def _value(self, held):
        return int(held)

    def _json(self, value):
        return value


def test_values_are_found_by_key_and_later_ones_count(tmp_path):
    Numbers(tmp_path / "store").append([("a", 1), ("b", 2)])
    later = Numbers(tmp_path / "store")
    later.append([("a", 3)])
    later.append([("c", 4)])
    assert Numbers(tmp_path / "store").load({"a", "c", "d"}) == {"a": 3, "c": 4}
    assert len(list((tmp_path / "store").iterdir())) == 2  # a file for each process
    assert Numbers(tmp_path / "none").load({"a"}) == {}


def test_values_are_read_where_they_lie(tmp_path):
    """Also in other processes' files, and while this one's is still written."""
    Numbers(tmp_path).append([("ä", 1), ("b", 2)])
    store = Numbers(tmp_path)
    places = store.locate({"ä", "b", "c"})
    assert {key: store.at(place) for key, place in places.items()} == {"ä": 1, "b": 2}
    places |= {key: store.add(key, value) for key, value in (("ö", 3), ("d", 4))}
    assert [store.at(places[key]) for key in ("d", "b", "ö", "ä")] == [4, 2, 3, 1]
    assert Numbers(tmp_path).load({"b", "ö", "d"}) == {"b": 2, "ö": 3, "d": 4}, "not closed before"


def test_a_damaged_line_is_told_and_costs_itself_alone(tmp_path, caplog):
    Numbers(tmp_path).append([("a", 1)])
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text() + '{"key": "b", "number": "x"}\n[]\n{"key": "a", "num')
    assert Numbers(tmp_path).load({"a", "b"}) == {"a": 1}
    assert "3 unreadable line(s)" in caplog.text and "is counted again" in caplog.text


@pytest.mark.parametrize(
    ("store", "field", "value"),
    [
        (Store, "completions", [Completion("Rome", [5, 6], "stop")]),
        (Kept, "judgement", Judgement(verdict="supported", score=1.5, shown=2)),
    ],
)
def test_what_is_kept_comes_back(tmp_path, store, field, value):
    store(tmp_path).append([("a", value)])
    assert store(tmp_path).load({"a"}) == {"a": value}
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text()).keys() == {"key", field}
