"""Put a verifier to the test: claims made from facts, half of them false."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_unique_rows, write_csv
from plumbline.records import Question
from plumbline.verification import make
from plumbline.verification.check import COLUMNS, agreement_rows
from plumbline.verification.truth import labelled_claims


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    make.add_arguments(parser)
    parser.add_argument("--facts", type=Path, required=True, help="questions.jsonl")
    parser.add_argument("--n", type=int, required=True, help="claims")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--table", type=Path, required=True)
    args = parser.parse_args()
    facts = read_unique_rows(args.facts, Question)
    claims = labelled_claims(facts, args.n, args.seed)
    if len(claims) < args.n:
        program.log.warning(
            f"the facts of relations with wordings give {len(claims):,} claims, not {args.n:,}"
        )
    rows = [] if not claims else agreement_rows(make.verify(claims, facts, args), claims)
    write_csv(args.table, COLUMNS, rows)
    for row in rows:
        if row["relation"] == "All":
            interval = f"({row['low']:.3f} to {row['high']:.3f}, n = {row['n']:,})"
            program.log.info(f"{row['metric']} {row['value']:.3f} {interval}")


if __name__ == "__main__":
    program.run(main, "check_verifier")
