"""Write a run's report: one HTML page with its tables, figures and provenance inside."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.report.answers import read_answers
from plumbline.report.page import write_page
from plumbline.report.responses import read_responses
from plumbline.report.tables import Run, read_files, read_tables
from plumbline.storage.files import read_json


def main(
    *,
    tables: Annotated[Path, "folder of CSV tables, maybe responses.json"],
    figures: Annotated[Path, "folder of SVG figures"],
    plan_path: Annotated[Path, "plan.json"],
    manifest_path: Annotated[Path, "manifest.json"],
    answers_path: Annotated[Path, "answers.json"],
    run: Annotated[str, "the run's name, the page's title"],
    out_path: Annotated[Path, "the page, index.html"],
) -> None:
    inputs = Run(
        read_tables(tables),
        read_json(plan_path),
        read_json(manifest_path),
        read_responses(tables / "responses.json"),
        read_answers(answers_path),
        read_files(tables),
    )
    write_page(inputs, figures, run, out_path)
    program.log.info(f"report in {out_path}")


if __name__ == "__main__":
    program.cli(main)
