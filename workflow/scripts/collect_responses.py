"""Turn what a model generated for instructions into responses, and count what is dropped."""

from pathlib import Path
from typing import Annotated

from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.records import Generation, Request
from plumbline.responses.drawn import collect
from plumbline.storage.files import read_rows, read_unique_rows, write_json, write_rows
from plumbline.training.sets import dropped_rows


def main(
    *,
    instructions_paths: list[Path],
    requests_path: Path,
    generations_path: Path,
    unfinished: Annotated[bool, "keep what the token limit cut off"] = False,
    whole_sentences: Annotated[bool, "keep the complete sentences of cut-off responses"] = False,
    stage: Annotated[str, "under which drops are counted"],
    name: Annotated[str, "of the responses, e.g. in tables"],
    responses_path: Path,
    dropped_path: Path,
) -> None:
    responses, reasons = collect(
        read_instructions(instructions_paths),
        read_unique_rows(requests_path, Request),
        read_rows(generations_path, Generation),
        unfinished=unfinished,
        whole_sentences=whole_sentences,
    )
    dropped = dropped_rows("responses", reasons, stage)
    write_rows(responses_path, responses)
    write_json(dropped_path, {"name": name, "kept": len(responses), "dropped": dropped})
    lost = "".join(f", {n:,} {reason}" for reason, n in sorted(reasons.items()))
    program.log.info(f"{name}: {len(responses):,} responses{lost}")


if __name__ == "__main__":
    program.cli(main)
