"""Count what became of questions and answers, and how often the pairs' sides are right."""

from pathlib import Path

from plumbline.config.engines import Evaluation
from plumbline.jobs import program
from plumbline.methods.consistency.records import VotedPair
from plumbline.methods.consistency.table import pair_rows
from plumbline.methods.consistency.tables import VoteState
from plumbline.storage.files import read_unique_rows
from plumbline.tables import write_table
from plumbline.training.sets import Composition
from pydantic import BaseModel


class TrainingFiles(BaseModel):
    """A training file and its counts; no seed: all seeds train on it."""

    model: str
    seed: int | None
    variant: str
    pairs: Path
    composition: Path


def main(
    *,
    rows: list[TrainingFiles],
    evaluation: Evaluation,
    table_path: Path,
) -> None:
    counted = [
        {**row, **files.model_dump(include={"model", "seed", "variant"})}
        for files in rows
        for row in pair_rows(
            read_unique_rows(files.pairs, VotedPair),
            Composition.read(files.composition),
            confidence=evaluation.confidence,
        )
    ]
    write_table(table_path, VoteState, counted)
    program.log.info(f"{len(counted):,} rows")


if __name__ == "__main__":
    program.cli(main)
