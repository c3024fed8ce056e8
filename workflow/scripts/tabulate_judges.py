"""Tabulate how often the judges of a run are right about pairs of known quality."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.judging.records import Calibration, rows
from plumbline.judging.tables import JudgeShare
from plumbline.storage.files import read_json
from plumbline.tables import write_table


def main(
    *,
    calibrations: Annotated[list[dict], "rows model, seed, path"],
    table_path: Path,
) -> None:
    shares = [
        row
        for file in calibrations
        for row in rows(
            Calibration.model_validate(read_json(Path(file["path"]))), file["model"], file["seed"]
        )
    ]
    write_table(table_path, JudgeShare, shares)


if __name__ == "__main__":
    program.cli(main)
