"""Measure how much of every evaluation set one training file contains."""

from pathlib import Path
from typing import Annotated

from plumbline.evaluation.overlaps import measure_files
from plumbline.jobs import program
from plumbline.storage.files import InputError, write_json


def evaluation_set(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not name or not path:
        raise InputError(f"--evaluation {text!r}: expected NAME=FILE.")
    return name, Path(path)


def main(
    *,
    name: Annotated[str, "of the training file, for tables"],
    training_path: Annotated[Path, "examples or pairs"],
    evaluation: Annotated[
        tuple[str, ...],
        "NAME=FILE of questions (their test split), choice questions or instructions",
    ] = (),
    ngram: Annotated[int, "words in a row"],
    found_path: Path,
) -> None:
    sets = dict(map(evaluation_set, evaluation))
    contamination = measure_files(name, training_path, sets, ngram)
    write_json(found_path, contamination.model_dump())
    for overlap in contamination.overlaps:
        program.log.info(
            f"{name}: {overlap.contaminated:,} of {overlap.n:,} items of {overlap.set} "
            f"({overlap.percent:.1f} %): {overlap.equal:,} equal questions, {overlap.shared:,} by "
            f"shared words, {overlap.stated:,} stated"
        )


if __name__ == "__main__":
    program.cli(main)
