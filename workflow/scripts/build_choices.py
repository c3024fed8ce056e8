"""Turn a source of choice questions into rows, and count what is lost."""

from __future__ import annotations

import argparse
from pathlib import Path

from plumbline import program
from plumbline.config.choices import ChoiceSet, ChoiceSource
from plumbline.data.choices import load_choices
from plumbline.fetching import read_marker
from plumbline.files import InputError, read_unique_rows, write_json, write_rows
from plumbline.records import Question
from pydantic import TypeAdapter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choices", required=True, help="JSON of a choice source or choice set")
    parser.add_argument("--source-marker", type=Path, help="the fetched source.json; facts: none")
    parser.add_argument("--facts", type=Path, help="questions.jsonl; only for format facts")
    parser.add_argument("--name", required=True, help="of the set, e.g. in tables")
    parser.add_argument("--out", type=Path, required=True, help="JSON Lines to write")
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()

    source = TypeAdapter(ChoiceSet | ChoiceSource).validate_json(args.choices)
    of_facts = source.format == "facts"
    if (args.facts is not None, args.source_marker is not None) != (of_facts, not of_facts):
        wanted = "--facts" if of_facts else "--source-marker"
        raise InputError(f"format {source.format}: give {wanted}, and it alone.")
    path = None if of_facts else read_marker(args.source_marker)[1]
    questions = read_unique_rows(args.facts, Question) if of_facts else None
    domain = source.domain if isinstance(source, ChoiceSet) else "ood"
    rows, dropped = load_choices(source, path, questions, domain)
    write_json(
        args.dropped,
        {
            "name": args.name,
            "kept": len(rows),
            "dropped": [{"stage": "choices", **row} for row in dropped],
        },
    )
    write_rows(args.out, rows)
    lost = "".join(f"; {row['item']}: {row['n']:,} {row['reason']}" for row in dropped)
    program.log.info(f"{args.name}: {len(rows):,} questions{lost}")


if __name__ == "__main__":
    program.run(main, "build_choices")
