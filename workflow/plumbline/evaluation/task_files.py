"""The files that make up a task of the LM evaluation harness, found without loading the harness."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_SKIPPED = {"__pycache__", ".ipynb_checkpoints"}  # as in the harness


class _Function(str):
    """A function that a task file names: module and name."""


class _Read(NamedTuple):
    settings: dict  # merged with those of the files it includes, as in the harness
    files: list[Path]  # the files it includes, and the modules of its functions


def files_of(task: str, folder: Path) -> list[str]:
    """The files of the task's folder, and those outside it that the task's file names, sorted.

    These are the files it includes, the modules of its functions, and its data files, with patterns and
    folders resolved; files that functions open themselves are not seen. Files of installed packages are
    left out. Files that cannot be read are left for the harness to report.
    """
    files = set(folder.rglob("*"))
    for path in sorted(folder.rglob("*.yaml")):
        read = _read(path, ())
        if _holds_task(read.settings, task):
            files.update(read.files, _data(read.settings))
    skipped = {*_SKIPPED, "site-packages"}
    kept = (path for path in files if path.is_file() and not skipped & set(path.parts))
    return sorted({os.path.normpath(path) for path in kept})


def _read(path: Path, above: tuple[Path, ...]) -> _Read:
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads what the harness's loader reads, but calls nothing."""

    Loader.add_constructor("!function", lambda loader, node: _Function(node.value))
    try:
        settings = Loader(path.read_text(encoding="utf-8")).get_single_data()
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        settings = None
    if not isinstance(settings, dict):
        return _Read({}, [])
    merged, files = {}, []
    included = settings.pop("include", [])
    for name in included if isinstance(included, list) else [included]:
        other = path.parent / str(name)
        if other.is_file() and other not in above:
            read = _read(other, (*above, path))
            merged |= read.settings
            files += [other, *read.files]
    for function in _strings(settings):
        if isinstance(function, _Function):
            module = path.parent / f"{function.rpartition('.')[0].replace('.', '/')}.py"
            files += [module] if module.is_file() else []
    return _Read(merged | settings, files)


def _holds_task(settings: object, task: str) -> bool:
    """Whether the settings are this task's, or contain it in a list or group."""
    if isinstance(settings, dict):
        return settings.get("task") == task or _holds_task([*settings.values()], task)
    return isinstance(settings, list) and any(_holds_task(part, task) for part in settings)


def _data(settings: dict) -> Iterator[Path]:
    """The data files of a task, found from the working directory like in the `datasets` package."""
    options = settings.get("dataset_kwargs")
    options = options if isinstance(options, dict) else {}
    folders = [Path(str(options.get("data_dir") or "")), Path(str(settings.get("dataset_path")))]
    named = [Path(start, text) for start in ("", *folders) for text in _strings(options)]
    for path in [*named, folders[1]]:
        yield from (Path(match) for match in glob.glob(str(path), recursive=True))
    if not options.get("data_files"):
        for folder in (folders[1], *folders[: bool(options.get("data_dir"))]):
            yield from folder.rglob("*")


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
