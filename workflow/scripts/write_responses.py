"""Write the requests for responses to instructions."""

from dataclasses import replace
from pathlib import Path

from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.responses import drawn
from plumbline.responses.prompting import Form
from plumbline.storage.files import write_rows


def main(
    *,
    instructions_paths: list[Path],
    form: Form,
    sampling: drawn.SamplingOptions,
    requests_path: Path,
) -> None:
    if not sampling.temperature:
        sampling = replace(sampling, samples=1, top_p=1.0)
    requests = drawn.response_requests(
        read_instructions(instructions_paths), form, **vars(sampling)
    )
    program.log.info(f"{write_rows(requests_path, requests):,} requests")


if __name__ == "__main__":
    program.cli(main)
