"""Write the requests that have a model turn claims into questions (APEFT)."""

from pathlib import Path

from plumbline.claims.records import Claim
from plumbline.jobs import program
from plumbline.methods.apeft import by_model
from plumbline.methods.apeft.questions import distinct
from plumbline.storage.files import read_rows, write_rows


def main(*, claims_path: Path, requests_path: Path) -> None:
    claims, _ = distinct(read_rows(claims_path, Claim))
    program.log.info(f"{write_rows(requests_path, by_model.requests(claims)):,} requests")


if __name__ == "__main__":
    program.cli(main)
