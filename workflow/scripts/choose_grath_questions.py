"""Leave out the questions that are also evaluated; pairs are written for the others."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from plumbline import program
from plumbline.files import read_rows, read_unique_rows, write_json, write_rows
from plumbline.methods.grath.questions import choose
from plumbline.records import ChoiceQuestion, NonEmpty, Record, Split


class Asked(Record):
    """What evaluation sets of choices and of facts have in common."""

    question: NonEmpty
    split: Split = "test"


def evaluated(path: Path) -> Iterator[str]:
    return (row.question for row in read_rows(path, Asked) if row.split == "test")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True, help="choices.jsonl")
    parser.add_argument(
        "--evaluation",
        type=Path,
        nargs="*",
        default=[],
        help="choice sets and facts that are evaluated; of facts the test split counts",
    )
    parser.add_argument("--kept", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    questions = read_unique_rows(args.questions, ChoiceQuestion)
    kept, dropped = choose(questions, map(evaluated, args.evaluation))
    write_rows(args.kept, kept)
    lost = {
        "stage": "grath",
        "item": "questions",
        "reason": "also_in_an_evaluation_set",
        "n": len(dropped),
    }
    write_json(
        args.dropped,
        {"name": "grath", "kept": len(kept), "dropped": [lost] if dropped else []},
    )
    program.log.info(f"{len(kept):,} questions, {len(dropped):,} left out that are evaluated")


if __name__ == "__main__":
    program.run(main, "choose_grath_questions")
