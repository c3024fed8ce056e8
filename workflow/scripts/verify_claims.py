"""Verify claims: each becomes supported, refuted or unverifiable, with its evidence."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from plumbline.claims.records import Claim
from plumbline.data.select import for_training
from plumbline.jobs import program
from plumbline.records import Question
from plumbline.storage.files import read_rows, read_unique_rows, write_rows
from plumbline.verification import make


def main(
    *,
    verifying: make.VerifierOptions,
    claims_path: Path,
    facts_path: Annotated[Path | None, "questions; for table and passages from facts"] = None,
    training: Annotated[bool, "claims that are trained on: by train facts alone"] = False,
    verdicts_path: Path,
) -> None:
    claims = list(read_rows(claims_path, Claim))
    facts = read_unique_rows(facts_path, Question) if facts_path else []
    if training:
        facts = for_training(facts)
    verdicts = make.verify(claims, facts, verifying)
    write_rows(verdicts_path, verdicts)
    counts = Counter((verdict.verdict, verdict.state) for verdict in verdicts)
    for (verdict, state), count in sorted(counts.items()):
        program.log.info(f"{count:,} {verdict}" + (f" ({state})" if state != "ok" else ""))


if __name__ == "__main__":
    program.cli(main)
