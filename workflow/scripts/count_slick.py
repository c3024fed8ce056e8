"""Count questions by model, relation, domain, split and SliCK category."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.methods.slick.tables import SlickCount
from plumbline.records import Annotation, Category
from plumbline.storage.files import read_rows
from plumbline.tables import write_table


def main(
    *,
    annotations_paths: Annotated[list[Path], "<model>/slick/annotations.jsonl"],
    counts_path: Path,
) -> None:
    rows = []
    for path in annotations_paths:
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
    write_table(counts_path, SlickCount, rows)


if __name__ == "__main__":
    program.cli(main)
