"""Leave out the questions that are also evaluated; pairs are written for the others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.methods.grath.questions import choose
from plumbline.records import ChoiceQuestion, NonEmpty, Record, Split
from plumbline.storage.files import read_rows, read_unique_rows, write_json, write_rows


class Asked(Record):
    """The fields that evaluation sets of choices and of facts share."""

    question: NonEmpty
    split: Split = "test"


def evaluated(path: Path) -> Iterator[str]:
    return (row.question for row in read_rows(path, Asked) if row.split == "test")


def main(
    *,
    questions_path: Annotated[Path, "choices.jsonl"],
    evaluation_paths: Annotated[
        tuple[Path, ...], "choice sets and facts that are evaluated; of facts the test split counts"
    ] = (),
    kept_path: Path,
    dropped_path: Path,
) -> None:
    questions = read_unique_rows(questions_path, ChoiceQuestion)
    kept, dropped = choose(questions, map(evaluated, evaluation_paths))
    write_rows(kept_path, kept)
    lost = {
        "stage": "grath",
        "item": "questions",
        "reason": "also_in_an_evaluation_set",
        "n": len(dropped),
    }
    write_json(
        dropped_path,
        {"name": "grath", "kept": len(kept), "dropped": [lost] if dropped else []},
    )
    program.log.info(f"{len(kept):,} questions, {len(dropped):,} left out that are evaluated")


if __name__ == "__main__":
    program.cli(main)
