"""Turn a set of closed-book questions into rows, and count what is dropped."""

from pathlib import Path
from typing import Annotated

from plumbline.config.closed_book import ClosedBookSet
from plumbline.data.question_sets import load_closed_book
from plumbline.jobs import program
from plumbline.sources.fetching import read_marker
from plumbline.storage.files import write_json, write_rows


def main(
    *,
    set: Annotated[ClosedBookSet, "one of evaluation.closed_book"],
    source_marker_path: Annotated[Path, "the fetched source.json"],
    shots: Annotated[int, "few-shot examples of a relation"],
    questions_path: Path,
    dropped_path: Path,
) -> None:
    questions, dropped = load_closed_book(set, read_marker(source_marker_path)[1], shots)
    asked = sum(question.split == "test" for question in questions)
    rows = [{"stage": "closed_book", **row} for row in dropped]
    write_json(dropped_path, {"name": set.name, "kept": asked, "dropped": rows})
    write_rows(questions_path, questions)
    lost = "".join(f"; {row['item']}: {row['n']:,} {row['reason']}" for row in dropped)
    program.log.info(f"{set.name}: {asked:,} questions to be asked{lost}")


if __name__ == "__main__":
    program.cli(main)
