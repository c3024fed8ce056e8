"""Each source is fetched once, whoever names it."""

from types import SimpleNamespace

import pytest
from plumbline.experiment.fetched import Fetched
from plumbline.storage.files import InputError

ONE, OTHER = "1" * 64, "2" * 64


@pytest.mark.parametrize("named", [(ONE, None), (None, ONE), (None, ONE, None, ONE)])
def test_a_checksum_that_is_given_once_is_checked(named):
    fetched = Fetched([("file:rows.jsonl", sha256) for sha256 in named] + [(None, None)])
    [source] = fetched.by_slug
    options = fetched.options(SimpleNamespace(source=source))
    assert options == ["--source", "file:rows.jsonl", "--sha256", ONE]


def test_a_source_without_a_checksum_is_not_checked():
    fetched = Fetched([("file:rows.jsonl", None), ("file:rows.jsonl", None)])
    [source] = fetched.by_slug
    assert fetched.options(SimpleNamespace(source=source)) == ["--source", "file:rows.jsonl"]


def test_two_checksums_of_one_source_are_refused():
    with pytest.raises(InputError, match=f"rows.jsonl: is named with two checksums.*{OTHER}"):
        Fetched([("file:rows.jsonl", ONE), ("file:a", OTHER), ("file:rows.jsonl", OTHER)])
