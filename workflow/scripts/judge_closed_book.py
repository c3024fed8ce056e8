"""Judge a checkpoint's closed-book answers by exact match."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.evaluation.closed_book import judge
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.records import Annotation, Generation, Question, Request


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--match", required=True)
    parser.add_argument("--answers", type=Path, required=True)
    args = parser.parse_args()
    answers = list(
        judge(
            read_unique_rows(args.questions, Question),
            read_unique_rows(args.annotations, Annotation),
            read_unique_rows(args.requests, Request),
            read_rows(args.generations, Generation),
            args.match,
        )
    )
    write_rows(args.answers, answers)
    program.log.info(f"{sum(answer.correct for answer in answers):,} of {len(answers):,} right")


if __name__ == "__main__":
    program.run(main, "judge_closed_book")
