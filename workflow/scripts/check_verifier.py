"""Test a verifier on claims made from facts, and on labelled ones that models wrote."""

from pathlib import Path
from typing import Annotated

from plumbline.evaluation.labelled_claims import HELD_OUT, read_labelled, shares
from plumbline.evaluation.verifier_check import MODELS, agreement_rows
from plumbline.jobs import program
from plumbline.records import Question
from plumbline.storage.files import read_unique_rows
from plumbline.tables import write_table
from plumbline.verification import make
from plumbline.verification.tables import VerifierShare
from plumbline.verification.truth import labelled_claims


def main(
    *,
    verifying: make.VerifierOptions,
    facts_path: Annotated[Path, "questions.jsonl"],
    n: Annotated[int, "claims"],
    seed: int,
    labelled_path: Annotated[Path, "claims that models wrote"],
    table_path: Path,
) -> None:
    facts = read_unique_rows(facts_path, Question)
    claims = labelled_claims(facts, n, seed)
    if len(claims) < n:
        program.log.warning(
            f"the facts of relations with wordings give {len(claims):,} claims, not {n:,}"
        )
    rows = [] if not claims else agreement_rows(make.verify(claims, facts, verifying), claims)
    read = read_labelled(labelled_path)
    rows += [{"claims": MODELS} | row for row in shares(make.verify(read, facts, verifying), read)]
    write_table(table_path, VerifierShare, rows)
    for row in rows:
        if row["relation"] in ("All", HELD_OUT):
            interval = f"({row['low']:.3f} to {row['high']:.3f}, n = {row['n']:,})"
            where = f"{row['claims']}' claims, {row['relation']}"
            program.log.info(f"{where}: {row['metric']} {row['value']:.3f} {interval}")


if __name__ == "__main__":
    program.cli(main)
