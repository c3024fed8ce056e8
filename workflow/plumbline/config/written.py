"""Texts that no configuration may contain, and repeated keys, which YAML accepts silently."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# Snakemake would take braces for wildcards; control characters, such as NUL, do not belong in names or
# paths and would garble logs.
_UNUSABLE = re.compile(r"[{}\x00-\x1f\x7f]")
_DEEPEST = 20


def unusable(value: object, key: str = "", depth: int = 0) -> Iterator[str]:
    """One line for each key or value of a configuration that cannot be used."""
    if depth > _DEEPEST:  # also reached by an alias that contains itself
        yield f"{key[:80]}…: nested more than {_DEEPEST} deep; expected a few levels."
    elif isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(name, str) and _UNUSABLE.search(name):
                yield f"{key or 'the configuration'}: the key {_shown(name)} {_WHY}"
            else:
                yield from unusable(inner, f"{key}.{name}" if key else str(name), depth + 1)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from unusable(inner, f"{key}[{place}]", depth + 1)
    elif isinstance(value, str) and _UNUSABLE.search(value):
        yield f"{key}: {_shown(value)} {_WHY}"


_WHY = (
    "contains a brace or a control character; expected plain text. Rename what it names (an "
    "environment variable is written $NAME)."
)


def _shown(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def repeated_keys(path: Path) -> list[str]:
    """One line for each key that a YAML file has twice in the same place, where the last would win.

    For a file that is not YAML, Snakemake reports the error, and there are no lines here.
    """
    import yaml

    try:
        with path.open(encoding="utf-8") as stream:
            root = yaml.compose(stream, Loader=yaml.SafeLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return []
    return list(_repeated(root, path, ""))


def _repeated(node, path: Path, key: str, depth: int = 0) -> Iterator[str]:
    import yaml

    if depth > _DEEPEST:
        return
    if isinstance(node, yaml.SequenceNode):
        for place, inner in enumerate(node.value):
            yield from _repeated(inner, path, f"{key}[{place}]", depth + 1)
    elif isinstance(node, yaml.MappingNode):
        seen: Counter = Counter()
        for name, inner in node.value:
            inside = f"{key}.{name.value}" if key else str(name.value)
            seen[inside] += 1
            if seen[inside] == 2 and name.value != "<<":
                line = name.start_mark.line + 1
                yield f"{inside}: given twice in {path}, again in line {line}; keep one of them."
            yield from _repeated(inner, path, inside, depth + 1)
