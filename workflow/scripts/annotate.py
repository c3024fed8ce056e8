"""Derive each question's SliCK category from the probing answers."""

from collections import Counter
from pathlib import Path

from plumbline.jobs import program
from plumbline.methods.slick.annotation import annotate
from plumbline.records import Category, Generation, Question, Request
from plumbline.storage.files import read_rows, read_unique_rows, write_rows


def main(
    *,
    questions_path: Path,
    requests_path: Path,
    generations_path: Path,
    match: str,
    annotations_path: Path,
) -> None:
    annotations = annotate(
        read_unique_rows(questions_path, Question),
        read_rows(requests_path, Request),
        read_rows(generations_path, Generation),
        match,
    )
    write_rows(annotations_path, annotations)
    counts = Counter(annotation.category for annotation in annotations)
    program.log.info(", ".join(f"{category} {counts[category]:,}" for category in Category))


if __name__ == "__main__":
    program.cli(main)
