"""Write the requests of a second probing: the same questions after other few-shot examples."""

from pathlib import Path

from plumbline.jobs import program
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import draw_exemplar_sets, requests
from plumbline.records import Question
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    slick: Slick,
    all_questions_path: Path,
    questions_path: Path,
    requests_path: Path,
) -> None:
    other = slick.model_copy(update={"seed": slick.seed + 1})
    sets = draw_exemplar_sets(read_unique_rows(all_questions_path, Question), other)
    questions = read_unique_rows(questions_path, Question)
    number = write_rows(requests_path, requests(questions, sets, other))
    program.log.info(f"{len(questions):,} questions, {number:,} requests")


if __name__ == "__main__":
    program.cli(main)
