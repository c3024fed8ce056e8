"""Turn a source of choice questions into rows, and count what is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from plumbline.config.choices import ChoiceSet, ChoiceSource
from plumbline.data.choice_items import load_choices
from plumbline.jobs import program
from plumbline.records import Question
from plumbline.sources.fetching import read_marker
from plumbline.storage.files import InputError, read_unique_rows, write_json, write_rows


def main(
    *,
    choices: Annotated[ChoiceSet | ChoiceSource, "a source, or a set of evaluation.choices"],
    source_marker_path: Annotated[Path | None, "the fetched source.json; facts: none"] = None,
    facts_path: Annotated[Path | None, "questions.jsonl; only for format facts"] = None,
    name: Annotated[str, "of the set, e.g. in tables"],
    out_path: Annotated[Path, "JSON Lines to write"],
    dropped_path: Path,
) -> None:
    of_facts = choices.format == "facts"
    if (facts_path is not None, source_marker_path is not None) != (of_facts, not of_facts):
        wanted = "--facts" if of_facts else "--source-marker"
        raise InputError(f"format {choices.format}: give {wanted}, and only that.")
    path = None if of_facts else read_marker(source_marker_path)[1]
    questions = read_unique_rows(facts_path, Question) if of_facts else None
    domain = choices.domain if isinstance(choices, ChoiceSet) else "ood"
    rows, dropped = load_choices(choices, path, questions, domain)
    write_json(
        dropped_path,
        {
            "name": name,
            "kept": len(rows),
            "dropped": [{"stage": "choices", **row} for row in dropped],
        },
    )
    write_rows(out_path, rows)
    lost = "".join(f"; {row['item']}: {row['n']:,} {row['reason']}" for row in dropped)
    program.log.info(f"{name}: {len(rows):,} questions{lost}")


if __name__ == "__main__":
    program.cli(main)
