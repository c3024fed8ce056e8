"""What each format has of its own: one message, no output, before a model is loaded."""

import pytest
from bad_files import KINDS
from checked import check, run


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in KINDS])
def test_it_is_told_in_one_message(kind, tmp_path, tiny_base, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    check(run(kind.program, kind.arguments(tmp_path, out, tiny_base), monkeypatch), kind.says, out)


def test_kinds_are_distinct():
    assert len({kind.name for kind in KINDS}) == len(KINDS) > 100
