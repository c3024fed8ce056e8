"""Test the stated contrasts, and compare every checkpoint with its base and its parent."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Evaluation
from plumbline.evaluation.comparisons import compare
from plumbline.evaluation.contrast_table import contrast_rows
from plumbline.evaluation.contrasts import Contrast
from plumbline.evaluation.gains import gain_rows
from plumbline.evaluation.grid import Gatherer
from plumbline.evaluation.tables import Comparison, ContrastRow, GainRow
from plumbline.jobs import program
from plumbline.methods.apeft.study import study_rows
from plumbline.methods.apeft.tables import StudyRow
from plumbline.records import Item
from plumbline.storage.files import read_unique_rows
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
    study_path: Path,
) -> None:
    how = {"confidence": evaluation.confidence}

    models: dict[str, list[dict]] = {}
    for row in checkpoints:
        models.setdefault(row["model"], []).append(row)
    tested: list[ContrastRow] = []
    compared: list[Comparison] = []
    gained: list[GainRow] = []
    studied: list[StudyRow] = []
    for model, rows in models.items():
        gatherer = Gatherer()
        for row in rows:
            folder, column = root / row["folder"], (row["checkpoint"], row["seed"])
            for name in row["scored"]:
                gatherer.add(*column, read_unique_rows(folder / name, Item))
        seeds = [row["seed"] for row in rows if row["checkpoint"] == baseline]
        grids = gatherer.grids(baseline, seeds)
        parents = {row["checkpoint"]: row["parent"] for row in rows}
        tested += contrast_rows(model, grids, stated, margin=evaluation.margin, **how)
        compared += compare(model, grids, parents, **how)
        gained += gain_rows(model, grids, parents, **how)
        studied += study_rows(model, grids, parents, **how)
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
        (study_path, StudyRow, studied),
    ):
        write_table(path, record, table)


if __name__ == "__main__":
    program.cli(main)
