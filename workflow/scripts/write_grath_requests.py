"""Write the requests for pairs; the same go to the model of every round."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.methods.grath.prompt import Legacy, pair_requests
from plumbline.records import ChoiceQuestion
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    questions_path: Path,
    max_tokens: int,
    use_ground_truth: bool = False,
    legacy_prompt: Annotated[Legacy | None, "default: chat messages"] = None,
    requests_path: Path,
) -> None:
    requests = pair_requests(
        read_unique_rows(questions_path, ChoiceQuestion),
        max_tokens=max_tokens,
        use_ground_truth=use_ground_truth,
        legacy_prompt=legacy_prompt,
    )
    program.log.info(f"{write_rows(requests_path, requests):,} requests")


if __name__ == "__main__":
    program.cli(main)
