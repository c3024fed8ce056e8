"""Print a run's headline table and where its report is."""

import argparse
from pathlib import Path

from plumbline.program import run
from plumbline.report.headline import as_text
from plumbline.report.tables import read_tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder of CSV tables")
    parser.add_argument("--report", type=Path, required=True, help="the report page")
    arguments = parser.parse_args()
    print(as_text(read_tables(arguments.tables)))
    print(f"Report: {arguments.report}")


if __name__ == "__main__":
    run(main, "print_headline")
