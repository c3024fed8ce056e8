"""Write the requests that ask a model for the facts of every sentence of responses."""

from pathlib import Path
from typing import Annotated

from plumbline.claims.by_model import split_requests
from plumbline.jobs import program
from plumbline.responses.reading import read_responses
from plumbline.storage.files import write_rows


def main(
    *,
    responses_path: Path,
    decisions_path: Annotated[
        Path | None, "only of responses to instructions that need facts"
    ] = None,
    max_tokens: Annotated[int, "of one sentence's list"],
    requests_path: Path,
) -> None:
    responses = read_responses(responses_path, decisions_path)
    written = write_rows(requests_path, split_requests(responses, max_tokens))
    program.log.info(f"{written:,} sentences of {len(responses):,} responses")


if __name__ == "__main__":
    program.cli(main)
