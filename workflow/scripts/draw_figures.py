"""Draw a run's figures (SVG) from its tables."""

import argparse
from pathlib import Path

from plumbline.program import log, run
from plumbline.report.figures import draw_figures
from plumbline.report.tables import read_tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder of CSV tables")
    parser.add_argument("--out", type=Path, required=True, help="folder for the figures")
    arguments = parser.parse_args()
    paths = draw_figures(read_tables(arguments.tables), arguments.out)
    log.info(f"{len(paths)} figures in {arguments.out}")


if __name__ == "__main__":
    run(main, "draw_figures")
