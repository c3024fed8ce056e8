"""How often the judges of a run are right about pairs of known quality, as a table."""

import argparse
from pathlib import Path

from plumbline import lists, program
from plumbline.files import read_json
from plumbline.judging.records import Calibration, rows
from plumbline.judging.tables import JudgeShare
from plumbline.tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--calibrations", type=Path, required=True, help="list of rows: model, seed, path"
    )
    parser.add_argument("--table", type=Path, required=True)
    args = parser.parse_args()
    found = [
        row
        for one in lists.read(args.calibrations, list[dict])
        for row in rows(
            Calibration.model_validate(read_json(Path(one["path"]))), one["model"], one["seed"]
        )
    ]
    write_table(args.table, JudgeShare, found)


if __name__ == "__main__":
    program.run(main, "tabulate_judges")
