"""Combine a set of instructions from its sources, and count what is dropped."""

from pathlib import Path
from typing import Annotated, Literal

from plumbline.config.instructions import InstructionSource
from plumbline.data.instruction_sets import check_tuned, gather
from plumbline.jobs import program
from plumbline.records import Question
from plumbline.sources.fetching import read_marker
from plumbline.storage.files import read_unique_rows, write_json, write_rows


def main(
    *,
    sources: list[InstructionSource],
    markers_paths: Annotated[
        tuple[Path, ...], "the fetched source.json of each source that has one, in order"
    ] = (),
    facts_path: Annotated[Path, "questions.jsonl, for entities"],
    entities_split: Literal["train", "dev", "test"],
    entities_domains: Annotated[str, "id, ood or both: id,ood"],
    key: Annotated[str, "of the configuration, for messages"] = "instructions",
    tuned: Annotated[
        dict[str, list[str]] | None,
        "by key, the relations that methods are tuned on; in-domain ones must be of these",
    ] = None,
    name: Annotated[str, "of the set, e.g. in tables"],
    out_path: Annotated[Path, "JSON Lines to write"],
    dropped_path: Path,
) -> None:
    rows, dropped = gather(
        sources,
        [read_marker(marker)[1] for marker in markers_paths],
        read_unique_rows(facts_path, Question),
        split=entities_split,
        domains=set(entities_domains.split(",")),
        key=key,
    )
    check_tuned(rows, tuned or {}, key)
    write_json(dropped_path, {"name": name, "kept": len(rows), "dropped": dropped})
    write_rows(out_path, rows)
    lost = "".join(f"; {row['item']}: {row['n']:,} {row['reason']}" for row in dropped)
    program.log.info(f"{name}: {len(rows):,} instructions{lost}")


if __name__ == "__main__":
    program.cli(main)
