"""Count questions by model, relation, domain, split and SliCK category."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import program
from plumbline.files import read_rows, write_csv
from plumbline.records import Annotation, Category

COLUMNS = ["model", "relation", "domain", "split", "category", "n"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--annotations", type=Path, nargs="+", required=True, help="<model>/slick/annotations.jsonl"
    )
    parser.add_argument("--counts", type=Path, required=True)
    args = parser.parse_args()
    rows = []
    for path in args.annotations:
        counts = Counter(
            (row.relation, row.domain, row.split, row.category)
            for row in read_rows(path, Annotation)
        )
        groups = sorted({key[:3] for key in counts})
        rows += [
            dict(zip(COLUMNS, (path.parts[-3], *group, str(one), counts[*group, one]), strict=True))
            for group in groups
            for one in Category
        ]
    write_csv(args.counts, COLUMNS, rows)


if __name__ == "__main__":
    program.run(main, "count_slick")
