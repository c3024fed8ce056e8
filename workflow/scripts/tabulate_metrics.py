"""Bring every checkpoint's answers into the tidy table of metrics."""

import argparse
import json
from pathlib import Path

from plumbline import program
from plumbline.config.engines import Evaluation
from plumbline.evaluation.closed_book import Answer, closed_book_metrics
from plumbline.files import read_unique_rows, write_csv
from plumbline.records import Metric


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the run")
    parser.add_argument("--checkpoints", required=True, help="JSON rows")
    parser.add_argument("--evaluation", required=True, help="JSON of the evaluation section")
    parser.add_argument("--metrics", type=Path, required=True)
    args = parser.parse_args()
    settings = Evaluation.model_validate_json(args.evaluation)

    rows: list[Metric] = []
    base: dict[str, list[Answer]] = {}
    for row in json.loads(args.checkpoints):
        path = args.root / row.pop("folder") / "closed_book" / "answers.jsonl"
        answers = read_unique_rows(path, Answer)
        if row["checkpoint"] == "base":
            base[row["model"]] = answers
        rows += closed_book_metrics(
            answers,
            base[row["model"]],
            **row,
            confidence=settings.confidence,
            resamples=settings.resamples,
        )
    write_csv(args.metrics, list(Metric.model_fields), (row.model_dump() for row in rows))


if __name__ == "__main__":
    program.run(main, "tabulate_metrics")
