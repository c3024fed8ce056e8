"""Measure how much of every evaluation set stands in one training file."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.evaluation.contamination import measure_files
from plumbline.files import InputError, write_json


def evaluation_set(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not name or not path:
        raise InputError(f"--evaluation {text!r}: expected NAME=FILE.")
    return name, Path(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the training file, for tables")
    parser.add_argument("--training", type=Path, required=True, help="examples or pairs")
    parser.add_argument(
        "--evaluation",
        nargs="*",
        default=[],
        help="NAME=FILE of questions (their test split), choice questions or instructions",
    )
    parser.add_argument("--ngram", type=int, required=True, help="words in a row")
    parser.add_argument("--found", type=Path, required=True)
    args = parser.parse_args()
    sets = dict(map(evaluation_set, args.evaluation))
    found = measure_files(args.name, args.training, sets, args.ngram)
    write_json(args.found, found.model_dump())
    for one in found.overlaps:
        program.log.info(
            f"{args.name}: {one.contaminated:,} of {one.n:,} items of {one.set} "
            f"({one.percent:.1f} %): {one.equal:,} equal questions, {one.shared:,} by shared words, "
            f"{one.stated:,} stated"
        )


if __name__ == "__main__":
    program.run(main, "measure_contamination")
