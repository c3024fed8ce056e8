"""Write config/config.schema.json from the configuration's models, or check that it fits them."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.experiment.schema import drift, text
from plumbline.files import InputError, atomic_write

SCHEMA = Path(__file__).parents[2] / "config" / "config.schema.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="fail with a diff where they differ")
    action.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        with atomic_write(SCHEMA) as stream:
            stream.write(text())
    elif difference := drift(SCHEMA):
        raise InputError(f"{SCHEMA} is out of date; run this program with --write.\n{difference}")


if __name__ == "__main__":
    program.run(main, "write_schema")
