"""Write the requests that ask a model for the facts of every sentence of responses."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.claims.by_model import split_requests
from plumbline.files import write_rows
from plumbline.responses.reading import read_responses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument(
        "--decisions", type=Path, help="only of responses to instructions that need facts"
    )
    parser.add_argument("--max-tokens", type=int, required=True, help="of one sentence's list")
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    responses = read_responses(args.responses, args.decisions)
    written = write_rows(args.requests, split_requests(responses, args.max_tokens))
    program.log.info(f"{written:,} sentences of {len(responses):,} responses")


if __name__ == "__main__":
    program.run(main, "write_claim_requests")
