"""Write the groups of a claim's choice questions: docs/study/data/<claim>/groups.csv."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.records import ChoiceQuestion
from plumbline.storage.files import read_rows
from plumbline.study.negation import group_rows
from plumbline.study.records import GroupRow
from plumbline.tables import write_table


def main(
    *,
    questions: Annotated[Path, "results/<run>/choices/<task>.jsonl"],
    groups_path: Annotated[Path, "docs/study/data/<claim>/groups.csv"],
) -> None:
    rows = group_rows(questions.stem, read_rows(questions, ChoiceQuestion))
    write_table(groups_path, GroupRow, rows)


if __name__ == "__main__":
    program.cli(main)
