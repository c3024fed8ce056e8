"""Write the requests for responses to instructions."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import write_rows
from plumbline.responses import drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, nargs="+", required=True)
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    drawn.add_sampling(parser)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    sampling = drawn.sampling(args)
    if not args.temperature:
        sampling |= {"samples": 1, "top_p": 1.0}
    requests = drawn.response_requests(read_instructions(args.instructions), args.form, **sampling)
    program.log.info(f"{write_rows(args.requests, requests):,} requests")


if __name__ == "__main__":
    program.run(main, "write_responses")
