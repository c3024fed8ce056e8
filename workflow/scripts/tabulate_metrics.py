"""Collect every checkpoint's answers and scores in the tidy table of metrics."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Evaluation
from plumbline.evaluation.guessing import guessed
from plumbline.evaluation.items import ItemScores, item_metrics
from plumbline.evaluation.tables import Metric
from plumbline.jobs import program
from plumbline.names import BASE
from plumbline.records import ChoiceQuestion, Item
from plumbline.storage.files import read_unique_rows
from plumbline.tables import write_table


def guesses(sets: Sequence[dict], models: Sequence[str]) -> Iterator[Metric]:
    """Chance and prior of every set of choice questions, beside the base's scores."""
    for choices in sets:
        by_domain = defaultdict(list)
        for question in read_unique_rows(Path(choices["path"]), ChoiceQuestion):
            by_domain[question.domain].append(question)
        for domain, questions in by_domain.items():
            for metric, value in guessed(questions, choices["letters"]).items():
                for model in models:
                    yield Metric(
                        model=model,
                        seed=0,
                        checkpoint="base",
                        task=choices["name"],
                        domain=domain,
                        split="test",
                        category="All",
                        metric=metric,
                        value=value,
                        n=len(questions),
                    )


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    checkpoints: Annotated[
        list[dict], "the base's seed 0; scored: files of items in the checkpoint's folder"
    ],
    choices: Annotated[
        list[dict], "sets of choice questions: name, path, letters (whether these are shown)"
    ],
    evaluation: Evaluation,
    metrics_path: Path,
) -> None:
    there = {
        (row["model"], row["checkpoint"], row["seed"], name): root / row["folder"] / name
        for row in checkpoints
        for name in row["scored"]
    }

    # The parent is read again for each of its children, so that few files are held at once.
    @lru_cache(maxsize=64)
    def read(model: str, checkpoint: str, seed: int, name: str) -> list[ItemScores] | None:
        path = there.get((model, checkpoint, seed, name))
        return path and list(map(ItemScores.of, read_unique_rows(path, Item)))

    def measured(seeds: Sequence[int], seed: int | None, row: dict) -> Iterator[Metric]:
        """A checkpoint's rows at one seed, or over several."""
        model, checkpoint, parent = (row[key] for key in ("model", "checkpoint", "parent"))
        for name in row["scored"]:
            of_parent = parent not in ("", BASE) and [read(model, parent, s, name) for s in seeds]
            yield from item_metrics(
                [read(model, checkpoint, s, name) for s in seeds],
                read(model, BASE, 0, name),
                of_parent if of_parent and None not in of_parent else None,
                model=model,
                seed=seed,
                checkpoint=checkpoint,
                parent=parent,
                confidence=evaluation.confidence,
            )

    rows: list[Metric] = []
    trained: dict[tuple[str, str], list[dict]] = {}
    for row in checkpoints:
        trained.setdefault((row["model"], row["checkpoint"]), []).append(row)
        rows += measured([row["seed"]], row["seed"], row)
    for same in trained.values():
        if len(same) > 1:
            rows += measured([row["seed"] for row in same], None, same[0])
    models = list(dict.fromkeys(row["model"] for row in checkpoints))
    rows += guesses(choices, models)
    write_table(metrics_path, Metric, rows)


if __name__ == "__main__":
    program.cli(main)
