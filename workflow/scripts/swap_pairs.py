"""Swap half of a training's pairs, drawn with the seed, to make the pairs of its placebo."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.records import Pair
from plumbline.storage.files import read_unique_rows, write_rows
from plumbline.training.placebo import swapped
from plumbline.training.sets import TrainingSet


def main(
    *,
    name: Annotated[str, "of the placebo"],
    of_path: Annotated[Path, "pairs of the training"],
    seed: int,
    pairs_path: Path,
    composition_path: Path,
) -> None:
    placebo = TrainingSet(name, swapped(read_unique_rows(of_path, Pair), seed))
    pairs, turned = placebo.rows, sum(pair.swapped for pair in placebo.rows)
    write_rows(pairs_path, pairs)
    placebo.composition({}, swapped=turned).write(composition_path)
    program.log.info(f"{name}: {turned:,} of {len(pairs):,} pairs with their sides swapped")


if __name__ == "__main__":
    program.cli(main)
