"""Write the requests for pairs; the same go to the model of every round."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.grath.prompt import TAGS, pair_requests
from plumbline.records import ChoiceQuestion


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--max-tokens", type=int, required=True)
    parser.add_argument("--use-ground-truth", action="store_true")
    parser.add_argument("--legacy-prompt", choices=list(TAGS), help="default: chat messages")
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    requests = pair_requests(
        read_unique_rows(args.questions, ChoiceQuestion),
        max_tokens=args.max_tokens,
        use_ground_truth=args.use_ground_truth,
        legacy_prompt=args.legacy_prompt,
    )
    program.log.info(f"{write_rows(args.requests, requests):,} requests")


if __name__ == "__main__":
    program.run(main, "write_grath_requests")
