"""Turn a fetched model into a checkpoint folder; OUT/checkpoint.json is written last."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from plumbline import program
from plumbline.fetching import read_marker
from plumbline.models import DTYPES, import_model
from plumbline.suitability import Needs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source-marker", type=Path, required=True, help="the fetched source.json")
    parser.add_argument("--name", required=True, help="the checkpoint's name")
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16")
    parser.add_argument("--trust-remote-code", action="store_true")
    parser.add_argument("--chat-template-kwargs", default="{}", help="JSON")
    parser.add_argument("--needs", default="{}", help="JSON of what the configuration asks of it")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint's folder")
    arguments = parser.parse_args()
    source, path = read_marker(arguments.source_marker)
    import_model(
        path,
        arguments.out,
        arguments.name,
        dtype=arguments.dtype,
        trust_remote_code=arguments.trust_remote_code,
        chat_template_kwargs=json.loads(arguments.chat_template_kwargs),
        source=source,
        needs=Needs.model_validate_json(arguments.needs),
    )


if __name__ == "__main__":
    program.run(main, "import_model")
