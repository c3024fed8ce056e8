"""Turn a set of closed-book questions into rows, and count what is lost."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.config.closed_book import ClosedBookSet
from plumbline.data.closed_book import load_closed_book
from plumbline.fetching import read_marker
from plumbline.files import write_json, write_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", required=True, help="JSON of one of evaluation.closed_book")
    parser.add_argument("--source-marker", type=Path, required=True, help="the fetched source.json")
    parser.add_argument("--shots", type=int, required=True, help="worked examples of a relation")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    source = ClosedBookSet.model_validate_json(args.set)
    questions, dropped = load_closed_book(source, read_marker(args.source_marker)[1], args.shots)
    asked = sum(question.split == "test" for question in questions)
    rows = [{"stage": "closed_book", **row} for row in dropped]
    write_json(args.dropped, {"name": source.name, "kept": asked, "dropped": rows})
    write_rows(args.questions, questions)
    lost = "".join(f"; {row['item']}: {row['n']:,} {row['reason']}" for row in dropped)
    program.log.info(f"{source.name}: {asked:,} questions to be asked{lost}")


if __name__ == "__main__":
    program.run(main, "build_closed_book")
