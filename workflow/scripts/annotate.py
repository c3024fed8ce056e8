"""Derive each question's SliCK category from the probing answers."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import program
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.methods.slick.annotation import annotate
from plumbline.records import Category, Generation, Question, Request


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--match", required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    args = parser.parse_args()
    annotations = annotate(
        read_unique_rows(args.questions, Question),
        read_rows(args.requests, Request),
        read_rows(args.generations, Generation),
        args.match,
    )
    write_rows(args.annotations, annotations)
    counts = Counter(annotation.category for annotation in annotations)
    program.log.info(", ".join(f"{category} {counts[category]:,}" for category in Category))


if __name__ == "__main__":
    program.run(main, "annotate")
