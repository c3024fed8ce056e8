"""Count questions by model, relation, domain, split and SliCK category."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import program
from plumbline.files import read_rows
from plumbline.methods.slick.tables import SlickCount
from plumbline.records import Annotation, Category
from plumbline.tables import write_table


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
            SlickCount(
                model=path.parts[-3],
                relation=relation,
                domain=domain,
                split=split,
                category=category,
                n=counts[relation, domain, split, category],
            )
            for relation, domain, split in groups
            for category in Category
        ]
    write_table(args.counts, SlickCount, rows)


if __name__ == "__main__":
    program.run(main, "count_slick")
