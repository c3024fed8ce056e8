"""Write the requests that ask a model which instructions need facts."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import write_rows
from plumbline.methods.flame.fact_based import classify_requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, nargs="+", required=True)
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    requests = classify_requests(read_instructions(args.instructions), args.form)
    program.log.info(f"{write_rows(args.requests, requests):,} requests")


if __name__ == "__main__":
    program.run(main, "write_fact_based")
