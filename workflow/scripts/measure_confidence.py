"""Measure how sure the base is of what responses claim, by its answers (FactTune-MC)."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.claims.records import Claim
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.methods.flame.facttune import confidence
from plumbline.records import Generation, Request


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True, help="of the answers")
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--confidence", type=Path, required=True)
    args = parser.parse_args()
    rows = confidence(
        read_unique_rows(args.claims, Claim, empty=True),
        read_unique_rows(args.requests, Request, empty=True),
        read_rows(args.generations, Generation),
    )
    write_rows(args.confidence, rows)
    asked = sum(row.claims for row in rows)
    program.log.info(f"{len(rows):,} responses measured by {asked:,} claims")


if __name__ == "__main__":
    program.run(main, "measure_confidence")
