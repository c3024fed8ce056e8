"""Turn a source of facts into questions with train, dev and test splits, and count what is dropped."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

from plumbline.data.entityquestions import load_entityquestions
from plumbline.data.facts import SHARES, load_embedded, load_rows
from plumbline.data.tables import FactCount
from plumbline.jobs import program
from plumbline.sources.fetching import MARKER, read_marker
from plumbline.storage.files import InputError, write_rows
from plumbline.tables import write_table

log = logging.getLogger("plumbline")


def names(text: str | None) -> list[str] | None:
    return text and [name.strip() for name in text.split(",") if name.strip()]


def fractions(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--shares: expected numbers as in 0.8,0.1,0.1; found {text!r}.") from None


def main(
    *,
    source: Literal["embedded", "entityquestions", "rows"],
    path: Annotated[
        Path | None, "folder or file of the source, or its source.json; embedded: none"
    ] = None,
    id_relations: Annotated[str | None, "comma-separated; default: the source's"] = None,
    ood_relations: str | None = None,
    shares: Annotated[str, "train,dev,test"] = ",".join(map(str, SHARES)),
    seed: Annotated[int, "of the split"] = 1,
    strict_dev: bool = False,
    merge_duplicates: bool = False,
    questions_path: Annotated[Path, "JSON Lines to write"],
    counts_path: Annotated[Path, "CSV to write"],
) -> None:
    if path is None:
        path = Path(__file__).parents[1] / "resources" / "facts"
    elif path.name == MARKER:
        _, path = read_marker(path)
    if source == "embedded":
        relations = (names(id_relations), names(ood_relations))
        result = load_embedded(path, *relations, shares=fractions(shares), seed=seed)
    elif source == "entityquestions":
        result = load_entityquestions(
            path, names(id_relations), names(ood_relations), strict_dev, merge_duplicates
        )
    else:
        result = load_rows(path, fractions(shares), seed, merge_duplicates)
    lost = ", ".join(f"{n:,} {reason}" for reason, n in result.dropped().items()) or "none"
    if not result.questions:
        raise InputError(
            f"{path}: no question is left after the filters (dropped: {lost}). "
            f"config/README.md says under Facts what each filter drops."
        )

    write_table(counts_path, FactCount, result.counts)
    write_rows(questions_path, result.questions)
    log.info(f"{len(result.questions):,} questions kept; dropped: {lost}")


if __name__ == "__main__":
    program.cli(main)
