"""Make statements of the answers that were sampled to questions about facts, to be verified."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_rows, read_unique_rows, write_json, write_rows
from plumbline.methods.apeft.answers import statements
from plumbline.methods.apeft.pairs import STAGE
from plumbline.methods.apeft.questions import AtomicQuestion
from plumbline.records import Generation, Request
from plumbline.training.sets import dropped_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--name", required=True, help="of the answers, e.g. in tables")
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    claims, reasons = statements(
        read_unique_rows(args.questions, AtomicQuestion, empty=True),
        read_unique_rows(args.requests, Request, empty=True),
        read_rows(args.generations, Generation),
    )
    samples = sum(claim.n for claim in claims)
    dropped = dropped_rows("sampled answers", reasons, STAGE)
    write_rows(args.claims, claims)
    write_json(args.dropped, {"name": args.name, "kept": samples, "dropped": dropped})
    program.log.info(f"{len(claims):,} statements of {samples:,} samples")


if __name__ == "__main__":
    program.run(main, "collect_apeft_answers")
