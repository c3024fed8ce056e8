"""Write the requests that have a model turn claims into questions (APEFT)."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.claims.records import Claim
from plumbline.files import read_rows, write_rows
from plumbline.methods.apeft import by_model
from plumbline.methods.apeft.questions import distinct


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    claims, _ = distinct(read_rows(args.claims, Claim))
    program.log.info(f"{write_rows(args.requests, by_model.requests(claims)):,} requests")


if __name__ == "__main__":
    program.run(main, "write_apeft_questions")
