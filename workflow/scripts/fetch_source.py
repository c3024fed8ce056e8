"""Fetch one source of a model or of data; the marker is written last."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.sources.fetching import MARKER, fetch
from plumbline.sources.source import Source
from plumbline.storage.files import InputError


def main(
    *,
    source: Annotated[str, "the source's line"],
    sha256: Annotated[str | None, "of the single file that the source is"] = None,
    folder: Annotated[Path, "where it is put"],
    marker_path: Annotated[Path, f"FOLDER/{MARKER}"],
) -> None:
    if marker_path != folder / MARKER:
        raise InputError(f"--marker {marker_path}: expected {folder / MARKER}.")
    path = fetch(Source.parse(source, sha256), folder)
    program.log.info(f"{source} is at {path}")


if __name__ == "__main__":
    program.cli(main)
