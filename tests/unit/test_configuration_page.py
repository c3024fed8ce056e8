"""docs/configuration.md is what the models say, and has every key."""

import re
from pathlib import Path

from plumbline.experiment.reference import as_markdown
from plumbline.experiment.schema import schema

PAGE = Path(__file__).parents[2] / "docs/configuration.md"


def rows():
    """By key: values, default, meaning."""
    found = re.findall(r"(?m)^\| `([\w.]+)` \| (.*?) \| (.*?) \| (.*) \|$", PAGE.read_text("utf-8"))
    return {key: rest for key, *rest in found}


def test_the_page_is_what_the_models_say():
    written = PAGE.read_text(encoding="utf-8")
    assert written == as_markdown(), "run `python -m scripts.write_configuration_page`"


def test_every_key_stands_there_with_a_meaning():
    there = rows()

    def walk(node, place=""):
        for name, key in node.get("properties", {}).items():
            full = f"{place}{name}"
            if "const" in key:  # which of several sections it is
                continue
            inside = [one for one in there if one.startswith(f"{full}.")]
            assert full in there or inside, full
            walk(key, f"{full}.")
        inner = [*node.get("anyOf", []), *node.get("oneOf", [])]
        inner += node.get("patternProperties", {}).values()
        inner += [
            node[k] for k in ("items", "additionalProperties") if isinstance(node.get(k), dict)
        ]
        for one in inner:
            walk(one, place)

    walk(schema())
    assert len(there) > 150 and all(meaning for _, _, meaning in there.values())


def test_values_and_defaults_are_told_in_words():
    there = rows()
    assert there["device"][:2] == ["`cpu`, `cuda`, `mps`", "`cpu`"]
    assert there["slick.shots"][0].startswith("whole number")
    assert there["models.name"][1] == ""  # must be given
    assert there["recipes.lora.rank"][:2] == ["whole number ≥ 1", "`16`"]
    assert there["facts.relations.id"][0].startswith("list of text")
