"""The JSON schema of configuration files, for editors and for readers."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from plumbline.experiment.config import Config


def schema() -> dict:
    """The schema as one nested document, so that editors show the description of every key.

    A file may be partial, since overlays are merged over config/config.yaml: only the items of lists,
    which overlays replace as a whole, have required keys. `config.load` checks what the merged
    configuration must contain.
    """
    flat = Config.model_json_schema()
    nested = _nested(flat, flat.pop("$defs"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plumbline configuration",
        **nested,
    }


def _nested(node: object, definitions: dict, in_list: bool = False) -> object:
    if isinstance(node, list):
        return [_nested(item, definitions, in_list) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        definition = definitions[node["$ref"].rpartition("/")[2]]
        node = {**definition, **{key: node[key] for key in node if key != "$ref"}}
    made = {}
    for key, value in node.items():
        if key == "properties":
            made[key] = {name: _nested(part, definitions, in_list) for name, part in value.items()}
        elif (
            (key == "required" and not in_list)
            or key == "title"
            or (key == "default" and isinstance(value, dict))
        ):
            continue
        else:
            made[key] = _nested(value, definitions, in_list or key == "items")
    return made


def text() -> str:
    """The content of config/config.schema.json."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def drift(path: Path) -> str:
    """A unified diff from the file to the schema of the current code; empty if they are equal."""
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(
        written.splitlines(keepends=True),
        text().splitlines(keepends=True),
        str(path),
        "plumbline.experiment.config",
    )
    return "".join(lines)
