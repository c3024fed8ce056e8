"""Collect everything that was left out in one table, by reason."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from plumbline.experiment.tables import LossRow
from plumbline.jobs import program
from plumbline.records import HarnessItem
from plumbline.storage.files import read_json, read_rows
from plumbline.tables import write_table
from plumbline.training.sets import Composition
from pydantic import BaseModel


class Reports(BaseModel):
    """Files that say what was left out; `questions` includes those of instructions and responses."""

    facts: Path
    questions: list[Path] = []
    probes: list[Path] = []
    compositions: list[Path] = []
    trainings: list[Path] = []
    harness: list[Path] = []  # items of its tasks


def of_facts(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            item = f"{row.pop('relation')} {row.pop('split')}"
            del row["domain"], row["kept"]
            for reason, n in row.items():
                if int(n or 0):
                    yield {"stage": "facts", "item": item, "reason": reason, "n": int(n)}


def of_training(path: Path) -> Iterator[dict]:
    training = read_json(path)
    for reason, n in training["dropped"].items():
        if n:
            yield {"stage": "train", "item": training["name"], "reason": reason, "n": n}


def of_harness(path: Path, root: Path) -> Iterator[dict]:
    """A task's prompts that lost their beginning, from <checkpoint's folder>/harness/<task>.jsonl."""
    cut = sum(item.prompt_cut for item in read_rows(path, HarnessItem))
    where = place(path, root)
    if cut:
        parts = path.parents[1].relative_to(root).parts
        item = f"{path.stem}: {'/'.join(parts[2 if where['seed'] else 1 :])}"
        yield {"stage": "harness", **where, "item": item, "reason": "prompt_cut", "n": cut}


def place(path: Path, root: Path) -> dict:
    """Model and seed of a tuning's file, <model>/seed-<seed>/…; files for all seeds have no seed."""
    model, part, *_ = path.relative_to(root).parts
    return {"model": model, "seed": part.removeprefix("seed-") if part.startswith("seed-") else ""}


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    reports: Annotated[Reports, "files by kind"],
    dropped_path: Path,
) -> None:
    rows = list(of_facts(reports.facts))
    for path in reports.probes:
        rows += [{**row, "model": path.parts[-3]} for row in read_json(path)]
    for path in reports.questions:
        questions = read_json(path)
        for row in questions["dropped"]:
            rows.append({**row, "item": f"{questions['name']}: {row['item']}"})
    for path in reports.compositions:
        composition, where = Composition.read(path), place(path, root)
        for row in composition.dropped:
            rows.append({**row, **where, "item": f"{composition.name}: {row['item']}"})
    for path in reports.trainings:
        rows += [{**row, **place(path, root)} for row in of_training(path)]
    for path in reports.harness:
        rows += of_harness(path, root)
    write_table(dropped_path, LossRow, rows)
    program.log.info(f"{len(rows)} kinds of loss, {sum(row['n'] for row in rows):,} items")


if __name__ == "__main__":
    program.cli(main)
