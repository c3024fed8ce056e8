"""Test the stated contrasts, and compare every checkpoint with its base and its parent."""

import argparse
from pathlib import Path

from plumbline import lists, program
from plumbline.config.engines import Evaluation
from plumbline.evaluation.comparisons import compare
from plumbline.evaluation.contrast_table import contrast_rows
from plumbline.evaluation.contrasts import Contrast
from plumbline.evaluation.gains import gain_rows
from plumbline.evaluation.grid import Gatherer
from plumbline.evaluation.tables import Comparison, ContrastRow, GainRow, StudyRow
from plumbline.files import read_unique_rows
from plumbline.methods.apeft.study import study_rows
from plumbline.records import Item
from plumbline.tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        required=True,
        help="list of rows, the base's seed 0; scored: files of items in the checkpoint's folder",
    )
    parser.add_argument("--evaluation", required=True, help="JSON of the evaluation section")
    parser.add_argument("--stated", type=Path, required=True, help="list of contrasts")
    parser.add_argument("--baseline", help="the checkpoint that win rates compare with")
    parser.add_argument("--contrasts", type=Path, required=True)
    parser.add_argument("--comparisons", type=Path, required=True)
    parser.add_argument("--gains", type=Path, required=True)
    parser.add_argument("--study", type=Path, required=True)
    args = parser.parse_args()
    settings = Evaluation.model_validate_json(args.evaluation)
    how = {"confidence": settings.confidence}

    models: dict[str, list[dict]] = {}
    for row in lists.read(args.checkpoints, list[dict]):
        models.setdefault(row["model"], []).append(row)
    stated = lists.read(args.stated, list[Contrast])
    tested: list[ContrastRow] = []
    compared: list[Comparison] = []
    gained: list[GainRow] = []
    studied: list[StudyRow] = []
    for model, rows in models.items():
        gatherer = Gatherer()
        for row in rows:
            folder, about = args.root / row["folder"], (row["checkpoint"], row["seed"])
            for name in row["scored"]:
                gatherer.add(*about, read_unique_rows(folder / name, Item))
        seeds = [row["seed"] for row in rows if row["checkpoint"] == args.baseline]
        grids = gatherer.grids(args.baseline, seeds)
        parents = {row["checkpoint"]: row["parent"] for row in rows}
        tested += contrast_rows(model, grids, stated, margin=settings.margin, **how)
        compared += compare(model, grids, parents, **how)
        gained += gain_rows(model, grids, parents, **how)
        studied += study_rows(model, grids, parents, **how)
    for row in tested:
        if not row.n:
            program.log.info(
                f"{row.model}, {row.method}, {row.contrast}: nothing in {row.task} "
                f"({row.domain.upper()}) has {row.metric} of both {row.first} and {row.second}"
            )
    for path, record, found in (
        (args.contrasts, ContrastRow, tested),
        (args.comparisons, Comparison, compared),
        (args.gains, GainRow, gained),
        (args.study, StudyRow, studied),
    ):
        write_table(path, record, found)


if __name__ == "__main__":
    program.run(main, "tabulate_comparisons")
