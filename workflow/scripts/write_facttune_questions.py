"""Write the requests that turn the claims of responses into questions (FactTune-MC)."""

from pathlib import Path

from plumbline.claims.records import Claim
from plumbline.jobs import program
from plumbline.responses.questions import question_requests
from plumbline.storage.files import read_unique_rows, write_rows


def main(*, claims_path: Path, requests_path: Path) -> None:
    claims = read_unique_rows(claims_path, Claim, empty=True)
    written = write_rows(requests_path, question_requests(claims))
    program.log.info(f"{written:,} claims to ask about")


if __name__ == "__main__":
    program.cli(main)
