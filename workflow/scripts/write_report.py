"""Write a run's report: one HTML page with its tables, figures and provenance inside."""

import argparse
from pathlib import Path

from plumbline.files import read_json
from plumbline.program import log, run
from plumbline.report.page import write_page
from plumbline.report.responses import read_responses
from plumbline.report.tables import Run, read_tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tables", type=Path, required=True, help="folder of CSV tables, maybe responses.json"
    )
    parser.add_argument("--figures", type=Path, required=True, help="folder of SVG figures")
    parser.add_argument("--plan", type=Path, required=True, help="plan.json")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest.json")
    parser.add_argument("--run", required=True, help="the run's name, the page's title")
    parser.add_argument("--out", type=Path, required=True, help="the page, index.html")
    arguments = parser.parse_args()
    inputs = Run(
        read_tables(arguments.tables),
        read_json(arguments.plan),
        read_json(arguments.manifest),
        read_responses(arguments.tables / "responses.json"),
    )
    write_page(inputs, arguments.figures, arguments.run, arguments.out)
    log.info(f"report in {arguments.out}")


if __name__ == "__main__":
    run(main, "write_report")
