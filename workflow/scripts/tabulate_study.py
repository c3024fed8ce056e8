"""Bring the study's pieces into claims.csv, its page's table and a figure a claim."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.storage.files import atomic_write
from plumbline.study.contrasts import CLAIMS, contrasts
from plumbline.study.decisions import claim_rows
from plumbline.study.page import figure, with_table
from plumbline.study.pieces import read_pieces
from plumbline.study.records import ClaimRow
from plumbline.tables import write_table


def main(*, folder: Annotated[Path, "docs/study"]) -> None:
    pieces = {claim: read_pieces(folder / "data", claim) for claim in CLAIMS}
    rows = list(claim_rows(pieces, contrasts()))
    write_table(folder / "data/claims.csv", ClaimRow, rows)
    page = folder / "README.md"
    text = with_table(page.read_text(encoding="utf-8"), rows)
    with atomic_write(page) as stream:
        stream.write(text)
    for claim in CLAIMS:
        drawing = figure(claim, [row for row in rows if row.claim == claim])
        if drawing:
            with atomic_write(folder / f"figures/{claim}.svg") as stream:
                stream.write(drawing.svg(f"study-{claim}", f"The contrasts of {claim}"))
    program.log.info(f"{len(rows)} rows in {folder / 'data/claims.csv'}")


if __name__ == "__main__":
    program.cli(main)
