"""Collect GRATH's rounds in one table: scores of every round's model, and its pairs."""

from collections.abc import Iterator
from pathlib import Path

from plumbline.config.engines import Evaluation
from plumbline.evaluation.items import item_metrics
from plumbline.jobs import program
from plumbline.methods.grath.rounds import GrathPair
from plumbline.methods.grath.table import as_text, pair_rows
from plumbline.methods.grath.tables import RoundRow
from plumbline.names import BASE
from plumbline.records import Item
from plumbline.storage.files import InputError, read_unique_rows
from plumbline.tables import write_table
from plumbline.training.sets import Composition
from pydantic import BaseModel


class RoundFiles(BaseModel):
    """A round's model and files. If round 0 is not the base, the base has a row without a round."""

    model: str
    seed: int
    variant: str = ""
    round: int | None = None
    checkpoint: str
    parent: str = ""
    scores: list[Path]
    pairs: Path | None = None
    composition: Path | None = None

    def items(self) -> list[Item]:
        """The model's scores on all sets."""
        return [item for path in self.scores for item in read_unique_rows(path, Item)]


def score_rows(trainings: list[RoundFiles], base: list[Item], confidence: float) -> Iterator[dict]:
    """The scores of a round with one seed, or over all seeds (then the rows have no seed)."""
    first = trainings[0]
    whose = first.model_dump(include={"model", "variant", "round", "checkpoint"})
    whose["seed"] = first.seed if len(trainings) == 1 else None
    metrics = item_metrics(
        [training.items() for training in trainings],
        base,
        model=first.model,
        seed=whose["seed"],
        checkpoint=first.checkpoint,
        parent=first.parent,
        confidence=confidence,
    )
    return (metric.model_dump(include=set(RoundRow.model_fields)) | whose for metric in metrics)


def main(
    *,
    rounds: list[RoundFiles],
    evaluation: Evaluation,
    table_path: Path,
) -> None:
    base = {row.model: row.items() for row in rounds if row.checkpoint == BASE}

    rows: list[dict] = []
    by_round: dict[tuple, list[RoundFiles]] = {}
    for training in rounds:
        if training.round is None:
            continue
        if training.model not in base:
            raise InputError(f"--rounds: {training.model} has no row of its base to compare with.")
        by_round.setdefault((training.model, training.variant, training.round), []).append(training)
        rows += score_rows([training], base[training.model], evaluation.confidence)
        if training.pairs and training.composition:
            whose = training.model_dump(include={"model", "seed", "variant", "round", "checkpoint"})
            pairs = read_unique_rows(training.pairs, GrathPair)
            metrics = pair_rows(
                pairs, Composition.read(training.composition), confidence=evaluation.confidence
            )
            rows += [{**row, **whose} for row in metrics]
    for line in as_text(rows).splitlines():
        program.log.info(line)
    for (model, *_), trainings in by_round.items():
        if len(trainings) > 1 and trainings[0].checkpoint != BASE:
            rows += score_rows(trainings, base[model], evaluation.confidence)
    write_table(table_path, RoundRow, rows)


if __name__ == "__main__":
    program.cli(main)
