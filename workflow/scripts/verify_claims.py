"""Verify claims: each becomes supported, refuted or unverifiable, with its evidence."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import program
from plumbline.claims.records import Claim
from plumbline.data.select import for_training
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.records import Question
from plumbline.verification import make


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    make.add_arguments(parser)
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--facts", type=Path, help="questions; for table and passages from facts")
    parser.add_argument(
        "--training", action="store_true", help="claims that are trained on: by train facts alone"
    )
    parser.add_argument("--verdicts", type=Path, required=True)
    args = parser.parse_args()
    claims = list(read_rows(args.claims, Claim))
    facts = read_unique_rows(args.facts, Question) if args.facts else []
    if args.training:
        facts = for_training(facts)
    verdicts = make.verify(claims, facts, args)
    write_rows(args.verdicts, verdicts)
    counts = Counter((verdict.verdict, verdict.state) for verdict in verdicts)
    for (verdict, state), count in sorted(counts.items()):
        program.log.info(f"{count:,} {verdict}" + (f" ({state})" if state != "ok" else ""))


if __name__ == "__main__":
    program.run(main, "verify_claims")
