"""Collect the new instructions that the base wrote, and count what is dropped."""

from pathlib import Path
from typing import Annotated

from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.methods.flame.augment import new_instructions
from plumbline.records import Generation, Request
from plumbline.storage.files import InputError, read_rows, read_unique_rows, write_json, write_rows
from plumbline.training.sets import dropped_rows


def main(
    *,
    known_paths: Annotated[list[Path], "instructions that are not new"],
    requests_path: Path,
    generations_path: Path,
    wanted: Annotated[int, "at most this many"],
    augmented_path: Path,
    dropped_path: Path,
) -> None:
    kept, reasons = new_instructions(
        read_instructions(known_paths),
        read_unique_rows(requests_path, Request),
        read_rows(generations_path, Generation),
        wanted,
    )
    lost = ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items())) or "nothing"
    if not kept:
        raise InputError(
            f"{generations_path}: no new instruction was found in the lists (dropped: {lost}). "
            f"Give more seeds, or let another model write."
        )
    dropped = dropped_rows("augmented", reasons, "flame")
    write_rows(augmented_path, kept)
    write_json(dropped_path, {"name": "augmented", "kept": len(kept), "dropped": dropped})
    if len(kept) < wanted:
        program.log.warning(f"only {len(kept):,} of {wanted:,} new instructions were found")
    program.log.info(f"{len(kept):,} new instructions; dropped: {lost}")


if __name__ == "__main__":
    program.cli(main)
