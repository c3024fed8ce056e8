"""Draw a run's figures (SVG) from its tables."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.report.figures import draw_figures
from plumbline.report.tables import read_tables


def main(
    *,
    tables: Annotated[Path, "folder of CSV tables"],
    out: Annotated[Path, "folder for the figures"],
) -> None:
    paths = draw_figures(read_tables(tables), out)
    program.log.info(f"{len(paths)} figures in {out}")


if __name__ == "__main__":
    program.cli(main)
