"""Write docs/tables.md from the record types of the tables."""

from pathlib import Path

from plumbline.jobs import program
from plumbline.report.names import TABLES
from plumbline.storage.files import atomic_write
from plumbline.tables import as_markdown

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def main() -> None:
    with atomic_write(PAGE) as stream:
        stream.write(as_markdown(TABLES))


if __name__ == "__main__":
    program.cli(main)
