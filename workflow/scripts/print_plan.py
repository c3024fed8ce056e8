"""Print the plan as a table."""

from pathlib import Path

from plumbline.experiment.plan_text import as_text
from plumbline.jobs import program
from plumbline.storage.files import read_json


def main(plan_path: Path, /) -> None:
    print(as_text(read_json(plan_path)))


if __name__ == "__main__":
    program.cli(main)
