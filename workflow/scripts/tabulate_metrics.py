"""Bring every checkpoint's answers and scores into the tidy table of metrics."""

import argparse
import json
from pathlib import Path

from plumbline import program
from plumbline.config.engines import Evaluation
from plumbline.evaluation.closed_book import Answer, closed_book_metrics
from plumbline.evaluation.items import item_metrics
from plumbline.files import read_unique_rows, write_csv
from plumbline.records import Item, Metric

CLOSED_BOOK = "closed_book/answers.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--checkpoints",
        required=True,
        help="JSON rows, a model's base first; scored: files of items in the checkpoint's folder",
    )
    parser.add_argument("--evaluation", required=True, help="JSON of the evaluation section")
    parser.add_argument("--metrics", type=Path, required=True)
    args = parser.parse_args()
    settings = Evaluation.model_validate_json(args.evaluation)
    how = {"confidence": settings.confidence, "resamples": settings.resamples}

    rows: list[Metric] = []
    base: dict[tuple[str, str], list] = {}
    for row in json.loads(args.checkpoints):
        folder = args.root / row.pop("folder")
        for name in (CLOSED_BOOK, *row.pop("scored")):
            closed_book = name == CLOSED_BOOK
            found = read_unique_rows(folder / name, Answer if closed_book else Item)
            if row["checkpoint"] == "base":
                base[row["model"], name] = found
            metrics = closed_book_metrics if closed_book else item_metrics
            rows += metrics(found, base.get((row["model"], name)), **row, **how)
    write_csv(args.metrics, list(Metric.model_fields), (row.model_dump() for row in rows))


if __name__ == "__main__":
    program.run(main, "tabulate_metrics")
