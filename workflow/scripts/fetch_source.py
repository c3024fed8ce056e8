"""Fetch one source of a model or data; the marker is written last."""

from __future__ import annotations

import argparse
from pathlib import Path

from plumbline import program
from plumbline.fetching import MARKER, fetch
from plumbline.files import InputError
from plumbline.sources import Source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="the source's line")
    parser.add_argument("--sha256", help="of the single file that the source is")
    parser.add_argument("--folder", type=Path, required=True, help="where it is put")
    parser.add_argument("--marker", type=Path, required=True, help=f"FOLDER/{MARKER}")
    arguments = parser.parse_args()
    if arguments.marker != arguments.folder / MARKER:
        raise InputError(f"--marker {arguments.marker}: expected {arguments.folder / MARKER}.")
    path = fetch(Source.parse(arguments.source, arguments.sha256), arguments.folder)
    program.log.info(f"{arguments.source} is at {path}")


if __name__ == "__main__":
    program.run(main, "fetch_source")
