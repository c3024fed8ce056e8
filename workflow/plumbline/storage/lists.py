"""Lists that grow with seeds, models and methods, in files that jobs read.

Linux accepts no argument and no variable above 128 KiB, and a rule's whole shell command is one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from plumbline.storage.files import InputError, atomic_write, first_mistake

Kind = TypeVar("Kind")


class ListedWork(NamedTuple):
    """A piece of work that needs a checkpoint, as in a list; paths are below the model's folder."""

    checkpoint: str
    marker: str  # the file that marks the checkpoint as complete
    input: str  # requests or questions
    setting: str = ""  # whatever else determines this one's result
    leads: bool = False  # whether trainings depend on it


def write(folder: Path, lists: dict[str, object]) -> None:
    """Write each as <folder>/<name>.json, unless the file has the same contents already."""
    for name, rows in lists.items():
        path, text = folder / f"{name}.json", json.dumps(rows)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            with atomic_write(path) as stream:
                stream.write(text)


def read(path: Path, kind: type[Kind] | Any) -> Kind:
    """The list in a file, validated: `read(path, list[Row])`. InputError if it is not such a list."""
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Snakemake writes it when a run starts; "
            f"start the run again, without --no-hooks. A workflow that has plumbline as a module calls "
            f"plumbline.onstart() in its own onstart."
        ) from error
    except ValidationError as error:
        raise InputError(
            f"{path}: {first_mistake(error, 'the whole')}. Delete it and start the run again."
        ) from error
