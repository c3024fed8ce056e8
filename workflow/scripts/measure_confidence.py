"""Measure how sure the base is of the claims of responses, by its answers (FactTune-MC)."""

from pathlib import Path
from typing import Annotated

from plumbline.claims.records import Claim
from plumbline.jobs import program
from plumbline.methods.flame.facttune import confidence
from plumbline.records import Generation, Request
from plumbline.storage.files import read_rows, read_unique_rows, write_rows


def main(
    *,
    claims_path: Path,
    requests_path: Annotated[Path, "of the answers"],
    generations_path: Path,
    confidence_path: Path,
) -> None:
    rows = confidence(
        read_unique_rows(claims_path, Claim, empty=True),
        read_unique_rows(requests_path, Request, empty=True),
        read_rows(generations_path, Generation),
    )
    write_rows(confidence_path, rows)
    asked = sum(row.claims for row in rows)
    program.log.info(f"{len(rows):,} responses measured by {asked:,} claims")


if __name__ == "__main__":
    program.cli(main)
