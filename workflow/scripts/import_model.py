"""Turn a fetched model into a checkpoint folder; OUT/checkpoint.json is written last."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from plumbline.config.base import Dtype
from plumbline.jobs import program
from plumbline.models.importing import import_model
from plumbline.models.suitability import Needs
from plumbline.sources.fetching import read_marker


def main(
    *,
    source_marker_path: Annotated[Path, "the fetched source.json"],
    name: Annotated[str, "the checkpoint's name"],
    dtype: Dtype = "bfloat16",
    trust_remote_code: bool = False,
    chat_template_kwargs: dict | None = None,
    needs: Needs | None = None,
    out: Annotated[Path, "the checkpoint's folder"],
) -> None:
    source, path = read_marker(source_marker_path)
    import_model(
        path,
        out,
        name,
        dtype=dtype,
        trust_remote_code=trust_remote_code,
        chat_template_kwargs=chat_template_kwargs or {},
        source=source,
        needs=needs or Needs(),
    )


if __name__ == "__main__":
    program.cli(main)
