"""Turn a source of facts into questions with train, dev and test splits, and count what is lost."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from plumbline import program
from plumbline.data.entityquestions import load_entityquestions
from plumbline.data.facts import SHARES, load_embedded, load_rows
from plumbline.data.tables import FactCount
from plumbline.fetching import MARKER, read_marker
from plumbline.files import InputError, write_rows
from plumbline.tables import write_table

log = logging.getLogger("plumbline")


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def fractions(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, choices=["embedded", "entityquestions", "rows"])
    parser.add_argument(
        "--path", type=Path, help="folder or file of the source, or its source.json; embedded: none"
    )
    parser.add_argument("--id-relations", type=names, help="comma-separated; default: the source's")
    parser.add_argument("--ood-relations", type=names)
    parser.add_argument("--shares", type=fractions, default=SHARES, help="train,dev,test")
    parser.add_argument("--seed", type=int, default=1, help="of the split")
    parser.add_argument("--strict-dev", action="store_true")
    parser.add_argument("--merge-duplicates", action="store_true")
    parser.add_argument("--questions", required=True, type=Path, help="JSON Lines to write")
    parser.add_argument("--counts", required=True, type=Path, help="CSV to write")
    wish = parser.parse_args()

    if wish.path is None:
        wish.path = Path(__file__).parents[1] / "resources" / "facts"
    elif wish.path.name == MARKER:
        _, wish.path = read_marker(wish.path)
    if wish.source == "embedded":
        relations = (wish.id_relations, wish.ood_relations)
        result = load_embedded(wish.path, *relations, shares=wish.shares, seed=wish.seed)
    elif wish.source == "entityquestions":
        result = load_entityquestions(
            wish.path, wish.id_relations, wish.ood_relations, wish.strict_dev, wish.merge_duplicates
        )
    else:
        result = load_rows(wish.path, wish.shares, wish.seed, wish.merge_duplicates)
    lost = ", ".join(f"{n:,} {reason}" for reason, n in result.dropped().items()) or "none"
    if not result.questions:
        raise InputError(
            f"{wish.path}: no question is left after the filters (dropped: {lost}). "
            f"config/README.md says under Facts what each filter drops."
        )

    write_table(wish.counts, FactCount, result.counts)
    write_rows(wish.questions, result.questions)
    log.info(f"{len(result.questions):,} questions kept; dropped: {lost}")


if __name__ == "__main__":
    program.run(main, "build_questions")
