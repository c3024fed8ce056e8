"""Judge a checkpoint's closed-book answers by exact match."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.evaluation.closed_book import judge, majority_answers
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.names import BASE
from plumbline.records import Annotation, Generation, Question, Request, SetQuestion


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument(
        "--annotations", type=Path, nargs="*", default=[], help="none: questions of a set"
    )
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--match", required=True)
    parser.add_argument("--checkpoint", required=True, help="its folder")
    parser.add_argument("--answers", type=Path, required=True)
    args = parser.parse_args()
    if args.annotations:
        annotations = [
            row for path in args.annotations for row in read_unique_rows(path, Annotation)
        ]
        questions = read_unique_rows(args.questions, Question)
        categories = {row.id: row.category.value for row in annotations}
        commonest = majority_answers(questions)
    else:
        questions, categories = read_unique_rows(args.questions, SetQuestion), None
        commonest = {question.relation: question.commonest for question in questions}
    answers = judge(
        questions,
        read_unique_rows(args.requests, Request),
        read_rows(args.generations, Generation),
        args.match,
        categories=categories,
        commonest=commonest if args.checkpoint == BASE else None,
    )
    write_rows(args.answers, answers)
    program.log.info(f"{sum(answer.correct for answer in answers):,} of {len(answers):,} right")


if __name__ == "__main__":
    program.run(main, "judge_closed_book")
