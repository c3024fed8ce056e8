"""Bring every checkpoint's answers and scores into the tidy table of metrics."""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from plumbline import lists, program
from plumbline.config.engines import Evaluation
from plumbline.evaluation.closed_book import Answer, closed_book_metrics
from plumbline.evaluation.guessing import guessed
from plumbline.evaluation.items import item_metrics
from plumbline.files import read_unique_rows, write_csv
from plumbline.records import ChoiceQuestion, Item, Metric

CLOSED_BOOK = "closed_book/answers.jsonl"


def guesses(sets: Sequence[dict], models: Sequence[str]) -> Iterator[Metric]:
    """Chance and prior of every set of choice questions, beside the base's scores."""
    for one in sets:
        by_domain = defaultdict(list)
        for question in read_unique_rows(Path(one["path"]), ChoiceQuestion):
            by_domain[question.domain].append(question)
        for domain, questions in by_domain.items():
            for metric, value in guessed(questions, one["letters"]).items():
                for model in models:
                    yield Metric(
                        model=model,
                        seed=0,
                        checkpoint="base",
                        task=one["name"],
                        domain=domain,
                        split="test",
                        category="All",
                        metric=metric,
                        value=value,
                        n=len(questions),
                    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        required=True,
        help="list of rows, the base's seed 0; scored: files of items in the checkpoint's folder",
    )
    parser.add_argument(
        "--choices",
        type=Path,
        required=True,
        help="list of sets of choice questions: name, path, letters (whether these are shown)",
    )
    parser.add_argument("--evaluation", required=True, help="JSON of the evaluation section")
    parser.add_argument("--metrics", type=Path, required=True)
    args = parser.parse_args()
    settings = Evaluation.model_validate_json(args.evaluation)
    how = {"confidence": settings.confidence, "resamples": settings.resamples}

    checkpoints = lists.read(args.checkpoints, list[dict])
    there = {
        (row["model"], row["checkpoint"], row["seed"], name): args.root / row["folder"] / name
        for row in checkpoints
        for name in (CLOSED_BOOK, *row["scored"])
    }

    # The parent is read again for each of its children, so that few files are held at once.
    @lru_cache(maxsize=64)
    def read(model: str, checkpoint: str, seed: int, name: str) -> list | None:
        path = there.get((model, checkpoint, seed, name))
        return path and read_unique_rows(path, Answer if name == CLOSED_BOOK else Item)

    rows: list[Metric] = []
    for row in checkpoints:
        model, parent, seed = row["model"], row["parent"], row["seed"]
        about = {key: row[key] for key in ("model", "seed", "checkpoint", "parent")}
        for name in (CLOSED_BOOK, *row["scored"]):
            found = read(model, row["checkpoint"], seed, name)
            base = read(model, "base", 0, name)
            of_parent = read(model, parent, seed, name) if parent not in ("", "base") else None
            metrics = closed_book_metrics if name == CLOSED_BOOK else item_metrics
            rows += metrics(found, base, of_parent, **about, **how)
    models = list(dict.fromkeys(row["model"] for row in checkpoints))
    rows += guesses(lists.read(args.choices, list[dict]), models)
    write_csv(args.metrics, list(Metric.model_fields), (row.model_dump() for row in rows))


if __name__ == "__main__":
    program.run(main, "tabulate_metrics")
