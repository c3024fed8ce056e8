"""docs/configuration.md: every key of the configuration, from the classes that check it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import yaml

from plumbline.experiment.schema import schema

HEAD = """# Configuration reference

Written by `python -m scripts.write_configuration_page` from the classes that check a configuration.
[config/README.md](../config/README.md) explains how to write one; [settings.md](settings.md) gives the
reasons for the values in `config.yaml` and in the papers' runs.

`models.name` is the key `name` of each entry in the list `models`; `recipes.method` is the key `method`
of each recipe, whatever the recipe's name. *Default* is the value of a key that neither your
configuration nor `config.yaml` sets; a key without a default must be set.
"""
WORDS = {"string": "text", "boolean": "`true`, `false`", "null": "`null`"}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


class Row(NamedTuple):
    """A key's row in a table."""

    key: str
    values: str
    default: str
    meaning: str


def as_markdown() -> str:
    """The page."""
    properties = schema()["properties"]
    plain = [name for name, node in properties.items() if not list(_sections(node))]
    lines = [HEAD, "## The experiment", ""]
    lines += _table([_row(name, properties[name], required=()) for name in plain])
    for name, node in properties.items():
        if name in plain:
            continue
        lines += ["", f"## {name}", ""]
        if described := node.get("description") or next(_sections(node)).get("description"):
            lines += [f"{described}", ""]
        for section in _sections(node):
            if kind := section["properties"].get("kind", {}).get("const"):
                lines += [f"With `kind: {kind}`: {section.get('description', '')}", ""]
            if rows := list(_rows(name, section)):
                lines += [*_table(rows), ""]
        lines.pop()
    return "\n".join(lines) + "\n"


def _sections(node: dict) -> Iterator[dict]:
    """The mappings with keys of their own among a value, its items and its alternatives."""
    if node.get("properties"):
        yield node
    inner = [
        *node.get("anyOf", []),
        *node.get("oneOf", []),
        *node.get("patternProperties", {}).values(),
    ]
    inner += [
        node[key] for key in ("items", "additionalProperties") if isinstance(node.get(key), dict)
    ]
    for one in inner:
        yield from _sections(one)


def _rows(prefix: str, section: dict) -> Iterator[Row]:
    for name, node in section["properties"].items():
        if "const" in node:
            continue  # the key that tells several sections apart
        key = f"{prefix}.{name}"
        inner = list(_sections(node))
        if not inner or node.get("type") != "object":
            yield _row(key, node, section.get("required", ()))
        for one in inner:
            yield from _rows(key, one)


def _row(key: str, node: dict, required) -> Row:
    default = ""
    if "default" in node and key.rpartition(".")[2] not in required:
        shown = yaml.safe_dump(
            node["default"], default_flow_style=True, width=10**6, allow_unicode=True
        )
        default = f"`{shown.strip().removesuffix('...').strip()}`"
    return Row(key, _values(node), default, node.get("description", ""))


def _values(node: dict) -> str:
    """The values that a key may have, in words."""
    if "enum" in node or "const" in node:
        return ", ".join(f"`{_plain(one)}`" for one in node.get("enum", [node.get("const")]))
    if alternatives := node.get("anyOf") or node.get("oneOf"):
        return " or ".join(dict.fromkeys(map(_values, alternatives)))
    kind = node.get("type")
    if kind == "array":
        of = _values(node["items"]) if node.get("items") else "values"
        return f"list of {of}"
    if kind == "object" or kind is None:
        return "mapping"
    if kind in WORDS:
        return WORDS[kind]
    bounds = [f"{sign} {node[name]:,}" for name, sign in BOUNDS.items() if name in node]
    return " ".join(
        [{"integer": "whole number", "number": "number"}[kind], ", ".join(bounds)]
    ).strip()


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _table(rows) -> list[str]:
    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("\n", " ").replace("*", "\\*").replace("<", "&lt;")

    return [
        "| key | values | default | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{key}` | {cell(values)} | {default.replace('|', chr(92) + '|')} | {cell(meaning)} |"
            for key, values, default, meaning in rows
        ),
    ]
