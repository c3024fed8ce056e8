"""Write config/config.schema.json from the configuration's classes, or check that it fits them."""

from pathlib import Path
from typing import Annotated

from plumbline.experiment.schema import drift, text
from plumbline.jobs import program
from plumbline.storage.files import InputError, atomic_write

SCHEMA = Path(__file__).parents[2] / "config" / "config.schema.json"


def main(
    *, check: Annotated[bool, "fail with a diff if they differ"] = False, write: bool = False
) -> None:
    if check == write:
        raise InputError("give --check or --write.")
    if write:
        with atomic_write(SCHEMA) as stream:
            stream.write(text())
    elif difference := drift(SCHEMA):
        raise InputError(f"{SCHEMA} is out of date; run this program with --write.\n{difference}")


if __name__ == "__main__":
    program.cli(main)
