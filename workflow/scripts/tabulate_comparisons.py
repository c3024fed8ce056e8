"""Test the stated contrasts, and compare every checkpoint with its base and its parent."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Evaluation
from plumbline.evaluation.comparisons import compare
from plumbline.evaluation.contrast_table import contrast_rows
from plumbline.evaluation.contrasts import Contrast
from plumbline.evaluation.gains import gain_rows
from plumbline.evaluation.grid import read_grids
from plumbline.evaluation.tables import Comparison, ContrastRow, GainRow
from plumbline.jobs import program
from plumbline.tables import write_table


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    checkpoints: Annotated[
        list[dict], "the base's seed 0; scored: files of items in the checkpoint's folder"
    ],
    evaluation: Evaluation,
    stated: list[Contrast],
    baseline: Annotated[str | None, "the checkpoint that win rates compare with"] = None,
    contrasts_path: Path,
    comparisons_path: Path,
    gains_path: Path,
) -> None:
    how = {"confidence": evaluation.confidence}
    tested: list[ContrastRow] = []
    compared: list[Comparison] = []
    gained: list[GainRow] = []
    for model, grids, parents in read_grids(root, checkpoints, baseline):
        tested += contrast_rows(model, grids, stated, margin=evaluation.margin, **how)
        compared += compare(model, grids, parents, **how)
        gained += gain_rows(model, grids, parents, **how)
    for row in tested:
        if not row.n:
            program.log.info(
                f"{row.model}, {row.method}, {row.contrast}: nothing in {row.task} "
                f"({row.domain.upper()}) has {row.metric} of both {row.first} and {row.second}"
            )
    for path, record, table in (
        (contrasts_path, ContrastRow, tested),
        (comparisons_path, Comparison, compared),
        (gains_path, GainRow, gained),
    ):
        write_table(path, record, table)


if __name__ == "__main__":
    program.cli(main)
