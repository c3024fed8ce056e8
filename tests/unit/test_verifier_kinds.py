"""Each kind of verifier answers for itself: what it reads, where it computes, how it is built."""

import pytest
from plumbline.config.verification import KINDS, Verifier
from plumbline.storage.files import InputError
from plumbline.verification.kinds import BUILDERS
from plumbline.verification.kinds.means import Means
from pydantic import TypeAdapter

FACTS = {"passages": {"format": "facts"}}
PAGES = {"passages": {"format": "rows", "source": "file:pages.jsonl"}}
EMBEDDED = {"embeddings": {"source": "file:model"}}
SERVER = {"kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m"}


def kind(**section):
    return TypeAdapter(Verifier).validate_python(section)


def test_every_kind_has_settings_and_a_builder():
    assert KINDS.keys() == BUILDERS.keys()
    assert [name for name, settings in KINDS.items() if settings.BY_TABLE] == ["table"]
    for settings in KINDS.values():
        assert set(settings.model_fields) >= settings.HOW


@pytest.mark.parametrize(
    ("section", "sources", "checkpoint", "on_device"),
    [
        ({"kind": "table"}, [], None, False),
        ({"kind": "retrieval", **FACTS}, [], "base", True),
        ({"kind": "retrieval", "judge": "mix.form", **PAGES}, ["passages"], "mix.form", True),
        ({**SERVER, **FACTS}, [], None, False),
        ({**SERVER, **PAGES, **EMBEDDED}, ["passages", "embeddings"], None, True),
    ],
)
def test_what_a_kind_needs(section, sources, checkpoint, on_device):
    settings = kind(**section)
    assert list(settings.sources()) == sources
    assert all(line.source.startswith("file:") for line in settings.sources().values())
    assert (settings.checkpoint(), settings.on_device()) == (checkpoint, on_device)


def test_what_was_not_given_is_named(tmp_path):
    with pytest.raises(InputError, match="--passages: missing; give the file of passages"):
        BUILDERS["retrieval"](kind(kind="retrieval", **PAGES), [], Means(store=tmp_path))
