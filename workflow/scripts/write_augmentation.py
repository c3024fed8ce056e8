"""Write the requests for new instructions: lists of seeds that the base is to continue."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import write_rows
from plumbline.methods.flame.augment import augment_requests, lists_for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, required=True, help="the seeds")
    parser.add_argument("--wanted", type=int, required=True, help="new instructions")
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    seeds = read_instructions([args.instructions])
    requests = augment_requests(seeds, lists_for(args.wanted), args.form, seed=args.seed)
    written = write_rows(args.requests, requests)
    program.log.info(f"{written:,} lists for {args.wanted:,} new instructions")


if __name__ == "__main__":
    program.run(main, "write_augmentation")
