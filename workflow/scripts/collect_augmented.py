"""Collect the new instructions that the base wrote, and count what is dropped."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import InputError, read_rows, read_unique_rows, write_json, write_rows
from plumbline.methods.flame.augment import new_instructions
from plumbline.records import Generation, Request
from plumbline.training.sets import dropped_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--known", type=Path, nargs="+", required=True, help="instructions that are not new"
    )
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--wanted", type=int, required=True, help="at most so many")
    parser.add_argument("--augmented", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    kept, reasons = new_instructions(
        read_instructions(args.known),
        read_unique_rows(args.requests, Request),
        read_rows(args.generations, Generation),
        args.wanted,
    )
    lost = ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items())) or "nothing"
    if not kept:
        raise InputError(
            f"{args.generations}: no new instruction was found in the lists (dropped: {lost}). "
            f"Give more seeds, or let another model write."
        )
    dropped = dropped_rows("augmented", reasons, "flame")
    write_rows(args.augmented, kept)
    write_json(args.dropped, {"name": "augmented", "kept": len(kept), "dropped": dropped})
    if len(kept) < args.wanted:
        program.log.warning(f"only {len(kept):,} of {args.wanted:,} new instructions were found")
    program.log.info(f"{len(kept):,} new instructions; dropped: {lost}")


if __name__ == "__main__":
    program.run(main, "collect_augmented")
