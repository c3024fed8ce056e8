"""Turn a model that was tuned elsewhere into a checkpoint; OUT/checkpoint.json is written last."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.models.suitability import Needs
from plumbline.models.tuned import import_tuned
from plumbline.sources.fetching import read_marker


def main(
    *,
    source_marker_path: Annotated[Path, "the fetched source.json"],
    name: Annotated[str, "the checkpoint's name"],
    base: Annotated[Path, "the checkpoint that it was tuned from"],
    trust_remote_code: bool = False,
    needs: Needs | None = None,
    out: Annotated[Path, "the checkpoint's folder"],
) -> None:
    source, path = read_marker(source_marker_path)
    import_tuned(path, out, name, base, trust_remote_code, source, needs)


if __name__ == "__main__":
    program.cli(main)
