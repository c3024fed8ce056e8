"""Compare APEFT's losses: the gain of atomic and general preferences under each of them."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Evaluation
from plumbline.evaluation.grid import read_grids
from plumbline.jobs import program
from plumbline.methods.apeft.study import study_rows
from plumbline.methods.apeft.tables import StudyRow
from plumbline.tables import write_table


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    checkpoints: Annotated[list[dict], "the tuned ones and their parent"],
    evaluation: Evaluation,
    table_path: Path,
) -> None:
    rows: list[StudyRow] = []
    for model, grids, parents in read_grids(root, checkpoints):
        rows += study_rows(model, grids, parents, confidence=evaluation.confidence)
    write_table(table_path, StudyRow, rows)


if __name__ == "__main__":
    program.cli(main)
