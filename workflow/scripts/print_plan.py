"""Print the plan as a table."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.experiment.plan_text import as_text
from plumbline.files import read_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    print(as_text(read_json(parser.parse_args().plan)))


if __name__ == "__main__":
    program.run(main, "print_plan")
