"""docs/papers.md: each key it names is one of the configuration's, each place one of the code's."""

import importlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/papers.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "config/config.schema.json").read_text(encoding="utf-8"))
KNOWN = ("paper", "code", "data", "second-hand", "ours", "unknown")


def tables():
    """The rows of the papers' tables: symbol, value, key, place, how known."""
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 5 and cells[0] != "paper" and not cells[0].startswith("---"):
            yield cells


ROWS = list(tables())
KEYS = sorted({key for row in ROWS for key in re.findall(r"`([^`]+)`", row[2])})
PLACES = sorted({place for row in ROWS for place in re.findall(r"`([^`]+)`", row[3])})


def below(node, key):
    """The schemas that a key of this one may have."""
    if "$ref" in node:
        node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]]
    for one in node.get("anyOf", node.get("oneOf", [])):
        yield from below(one, key)
    if key in node.get("properties", {}):
        yield node["properties"][key]
    yield from node.get("patternProperties", {}).values()


def test_rows_are_whole():
    assert len(ROWS) > 70
    for symbol, _, key, place, known in ROWS:
        assert symbol and key and place and known.startswith(KNOWN), symbol


@pytest.mark.parametrize("key", KEYS)
def test_a_named_key_is_one_of_the_configuration(key):
    nodes = [SCHEMA]
    for part in key.split("."):
        nodes = [found for node in nodes for found in below(node, part)]
        assert nodes, f"{part} of {key}"


@pytest.mark.parametrize("place", PLACES)
def test_a_named_place_is_in_the_code(place):
    module, _, name = place.rpartition(".")
    assert hasattr(importlib.import_module(f"plumbline.{module}"), name)


def test_the_named_models_are_those_of_the_configurations():
    written = "".join(path.read_text() for path in (ROOT / "config/paper").glob("*.yaml"))
    assert set(re.findall(r"hub:[^`\s\"]+", PAGE)) == set(re.findall(r'hub:[^`\s"]+', written))


def test_the_named_files_are_there():
    for name in re.findall(r"config/[\w/-]+\.yaml", PAGE):
        assert (ROOT / name).exists(), name
