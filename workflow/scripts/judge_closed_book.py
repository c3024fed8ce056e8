"""Judge a checkpoint's closed-book answers by exact match."""

from pathlib import Path
from typing import Annotated

from plumbline.evaluation.exact_answers import judge, majority_answers
from plumbline.jobs import program
from plumbline.names import BASE
from plumbline.records import Annotation, Generation, Question, Request, SetQuestion
from plumbline.storage.files import read_rows, read_unique_rows, write_rows


def main(
    *,
    questions_path: Path,
    annotations_paths: Annotated[tuple[Path, ...], "none: questions of a set"] = (),
    requests_path: Path,
    generations_path: Path,
    match: str,
    checkpoint: Annotated[str, "its folder"],
    answers_path: Path,
) -> None:
    categories = {
        row.id: row.category.value
        for path in annotations_paths
        for row in read_unique_rows(path, Annotation)
    }
    if annotations_paths:
        questions = read_unique_rows(questions_path, Question)
        commonest = majority_answers(questions)
    else:
        questions = read_unique_rows(questions_path, SetQuestion)
        commonest = {question.relation: question.commonest for question in questions}
    answers = judge(
        questions,
        read_unique_rows(requests_path, Request),
        read_rows(generations_path, Generation),
        match,
        categories=categories,
        commonest=commonest if checkpoint == BASE else None,
    )
    write_rows(answers_path, answers)
    program.log.info(f"{sum(answer.correct for answer in answers):,} of {len(answers):,} right")


if __name__ == "__main__":
    program.cli(main)
