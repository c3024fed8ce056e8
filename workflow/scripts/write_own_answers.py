"""Write the few-shot requests for the base's own answers to instructions."""

from pathlib import Path
from typing import Annotated

from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.methods.flame.own_answers import own_answer_requests
from plumbline.responses import drawn
from plumbline.responses.decisions import FactBased, fact_based_ids
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    instructions_path: Annotated[Path, "also what is shown"],
    decisions_path: Annotated[Path | None, "only those that need facts are asked"] = None,
    shots: int,
    sampling: drawn.SamplingOptions,
    requests_path: Path,
) -> None:
    instructions = read_instructions([instructions_path])
    wanted = {instruction.id for instruction in instructions}
    if decisions_path:
        wanted = fact_based_ids(read_unique_rows(decisions_path, FactBased), wanted)
    requests = own_answer_requests(
        [instruction for instruction in instructions if instruction.id in wanted],
        instructions,
        shots=shots,
        **vars(sampling),
    )
    written = write_rows(requests_path, requests)
    program.log.info(f"{written:,} requests for {len(instructions):,} instructions")


if __name__ == "__main__":
    program.cli(main)
