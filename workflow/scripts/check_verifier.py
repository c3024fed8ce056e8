"""Put a verifier to the test: on claims made from facts, and on labelled ones that models wrote."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_unique_rows
from plumbline.records import Question
from plumbline.tables import write_table
from plumbline.verification import make
from plumbline.verification.check import MODELS, agreement_rows
from plumbline.verification.labelled import HELD_OUT, read_labelled, shares
from plumbline.verification.tables import VerifierShare
from plumbline.verification.truth import labelled_claims


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    make.add_arguments(parser)
    parser.add_argument("--facts", type=Path, required=True, help="questions.jsonl")
    parser.add_argument("--n", type=int, required=True, help="claims")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--labelled", type=Path, required=True, help="claims that models wrote")
    parser.add_argument("--table", type=Path, required=True)
    args = parser.parse_args()
    facts = read_unique_rows(args.facts, Question)
    claims = labelled_claims(facts, args.n, args.seed)
    if len(claims) < args.n:
        program.log.warning(
            f"the facts of relations with wordings give {len(claims):,} claims, not {args.n:,}"
        )
    rows = [] if not claims else agreement_rows(make.verify(claims, facts, args), claims)
    read = read_labelled(args.labelled)
    rows += [{"claims": MODELS} | row for row in shares(make.verify(read, facts, args), read)]
    write_table(args.table, VerifierShare, rows)
    for row in rows:
        if row["relation"] in ("All", HELD_OUT):
            interval = f"({row['low']:.3f} to {row['high']:.3f}, n = {row['n']:,})"
            where = f"{row['claims']}' claims, {row['relation']}"
            program.log.info(f"{where}: {row['metric']} {row['value']:.3f} {interval}")


if __name__ == "__main__":
    program.run(main, "check_verifier")
