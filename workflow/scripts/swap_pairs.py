"""Swap the sides of half of a training's pairs, drawn by the seed: the pairs of its placebo."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_unique_rows, write_rows
from plumbline.placebo import swapped
from plumbline.records import Pair
from plumbline.training.sets import TrainingSet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the placebo")
    parser.add_argument("--of", type=Path, required=True, help="pairs of the training")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--composition", type=Path, required=True)
    args = parser.parse_args()
    placebo = TrainingSet(args.name, swapped(read_unique_rows(args.of, Pair), args.seed))
    pairs, turned = placebo.rows, sum(pair.swapped for pair in placebo.rows)
    write_rows(args.pairs, pairs)
    placebo.composition({}, swapped=turned).write(args.composition)
    program.log.info(f"{args.name}: {turned:,} of {len(pairs):,} pairs with their sides swapped")


if __name__ == "__main__":
    program.run(main, "swap_pairs")
