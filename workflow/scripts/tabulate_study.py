"""Bring the study's pieces into claims.csv, the tables of its page and of README.md, and figures."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.storage.files import atomic_write
from plumbline.study import figures, page
from plumbline.study.contrasts import CLAIMS, contrasts
from plumbline.study.decisions import claim_rows
from plumbline.study.pieces import read_pieces
from plumbline.study.records import ClaimRow
from plumbline.tables import write_table


def main(
    *, folder: Annotated[Path, "docs/study"], readme: Annotated[Path, "the project's README.md"]
) -> None:
    pieces = {claim: read_pieces(folder / "data", claim) for claim in CLAIMS}
    rows = list(claim_rows(pieces, contrasts()))
    write_table(folder / "data/claims.csv", ClaimRow, rows)
    shown = {}
    for name, title, drawing in figures.drawings(pieces, rows):
        shown[name] = title
        with atomic_write(folder / f"figures/{name}.svg") as stream:
            stream.write(drawing.svg(f"study-{name}", title, "white"))
    for path, part, text in (
        (folder / "README.md", "claims", page.claims(rows, shown)),
        (folder / "README.md", "costs", page.costs(pieces)),
        (readme, "study", page.headline(rows)),
    ):
        written = page.with_part(path, part, text)
        with atomic_write(path) as stream:
            stream.write(written)
    program.log.info(f"{len(rows)} rows in {folder / 'data/claims.csv'}")


if __name__ == "__main__":
    program.cli(main)
