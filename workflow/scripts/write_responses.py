"""Write the requests for responses to instructions."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import write_rows
from plumbline.responses.drawn import response_requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, nargs="+", required=True)
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    parser.add_argument("--samples", type=int, required=True, help="with temperature 0: one")
    parser.add_argument("--temperature", type=float, required=True, help="0: greedy")
    parser.add_argument("--top-p", type=float, required=True, help="with temperature 0: all")
    parser.add_argument("--max-tokens", type=int, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    drawn = {"samples": args.samples, "temperature": args.temperature, "top_p": args.top_p}
    greedy = {"samples": 1, "temperature": 0.0, "top_p": 1.0}
    requests = response_requests(
        read_instructions(args.instructions),
        args.form,
        max_tokens=args.max_tokens,
        **(drawn if args.temperature else greedy),
    )
    program.log.info(f"{write_rows(args.requests, requests):,} requests")


if __name__ == "__main__":
    program.run(main, "write_responses")
