"""Write the requests for new instructions: lists of seeds for the base to continue."""

from pathlib import Path
from typing import Annotated

from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.methods.flame.augment import augment_requests, lists_for
from plumbline.responses.prompting import Form
from plumbline.storage.files import write_rows


def main(
    *,
    instructions_path: Annotated[Path, "the seeds"],
    wanted: Annotated[int, "new instructions"],
    form: Form,
    seed: int,
    requests_path: Path,
) -> None:
    seeds = read_instructions([instructions_path])
    requests = augment_requests(seeds, lists_for(wanted), form, seed=seed)
    written = write_rows(requests_path, requests)
    program.log.info(f"{written:,} lists for {wanted:,} new instructions")


if __name__ == "__main__":
    program.cli(main)
