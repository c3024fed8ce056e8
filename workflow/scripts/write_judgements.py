"""Write the requests that ask a judge how helpful responses are."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.flame.rewards import judge_requests
from plumbline.responses.drawn import Response


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--temperature", type=float, required=True)
    parser.add_argument("--top-p", type=float, required=True)
    parser.add_argument("--max-tokens", type=int, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    requests = judge_requests(
        read_unique_rows(args.responses, Response),
        args.form,
        samples=args.samples,
        temperature=args.temperature,
        top_p=args.top_p,
        max_tokens=args.max_tokens,
    )
    program.log.info(f"{write_rows(args.requests, requests):,} requests")


if __name__ == "__main__":
    program.run(main, "write_judgements")
