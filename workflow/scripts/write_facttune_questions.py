"""Write the requests that turn the claims of responses into questions (FactTune-MC)."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.claims.records import Claim
from plumbline.files import read_unique_rows, write_rows
from plumbline.responses.questions import question_requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    claims = read_unique_rows(args.claims, Claim, empty=True)
    written = write_rows(args.requests, question_requests(claims))
    program.log.info(f"{written:,} claims to ask about")


if __name__ == "__main__":
    program.run(main, "write_facttune_questions")
