"""Bring GRATH's rounds into one table: scores of every round's model, and the pairs it had."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from plumbline import lists, program
from plumbline.config.engines import Evaluation
from plumbline.evaluation.items import item_metrics
from plumbline.files import InputError, read_json, read_unique_rows, write_csv
from plumbline.lineage import BASE
from plumbline.methods.grath.rounds import GrathPair
from plumbline.methods.grath.table import COLUMNS, as_text, pair_rows
from plumbline.records import Item
from pydantic import BaseModel


class RoundFiles(BaseModel):
    """A round's model and files. The base of another round 0 comes without round: to compare."""

    model: str
    seed: int
    variant: str = ""
    round: int | None = None
    checkpoint: str
    parent: str = ""
    scores: Path
    pairs: Path | None = None
    composition: Path | None = None


def score_rows(one: RoundFiles, base: list[Item], settings: Evaluation) -> Iterator[dict]:
    metrics = item_metrics(
        read_unique_rows(one.scores, Item),
        base,
        model=one.model,
        seed=one.seed,
        checkpoint=one.checkpoint,
        parent=one.parent,
        confidence=settings.confidence,
        resamples=settings.resamples,
    )
    return (metric.model_dump(include=set(COLUMNS)) for metric in metrics)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds",
        type=Path,
        required=True,
        help="list of rows model, seed, variant, round, checkpoint, parent, scores, pairs, composition",
    )
    parser.add_argument("--evaluation", required=True, help="JSON of the evaluation section")
    parser.add_argument("--table", type=Path, required=True)
    args = parser.parse_args()
    settings = Evaluation.model_validate_json(args.evaluation)
    rounds = lists.read(args.rounds, list[RoundFiles])
    base = {
        one.model: read_unique_rows(one.scores, Item) for one in rounds if one.checkpoint == BASE
    }

    rows = []
    for one in rounds:
        if one.round is None:
            continue
        if one.model not in base:
            raise InputError(f"--rounds: {one.model} has no row of its base to compare with.")
        found = list(score_rows(one, base[one.model], settings))
        if one.pairs and one.composition:
            found += pair_rows(
                read_unique_rows(one.pairs, GrathPair),
                read_json(one.composition),
                confidence=settings.confidence,
                resamples=settings.resamples,
            )
        about = one.model_dump(include={"model", "seed", "variant", "round", "checkpoint"})
        rows += [{**row, **about} for row in found]
    write_csv(args.table, COLUMNS, rows)
    for line in as_text(rows).splitlines():
        program.log.info(line)


if __name__ == "__main__":
    program.run(main, "tabulate_grath")
