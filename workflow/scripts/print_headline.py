"""Print a run's headline and where its tables and its report are."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.report.headline import as_text
from plumbline.report.tables import read_tables


def main(
    *,
    tables: Annotated[Path, "folder of CSV tables"],
    report_path: Annotated[Path, "the report page"],
) -> None:
    print(as_text(read_tables(tables)))
    print(f"Tables: {tables}")
    print(f"Report: {report_path}")


if __name__ == "__main__":
    program.cli(main)
