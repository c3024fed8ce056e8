"""Turn the sampled answers to questions about facts into statements to verify."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.methods.apeft.answers import statements
from plumbline.methods.apeft.pairs import STAGE
from plumbline.methods.apeft.questions import AtomicQuestion
from plumbline.records import Generation, Request
from plumbline.storage.files import read_rows, read_unique_rows, write_json, write_rows
from plumbline.training.sets import dropped_rows


def main(
    *,
    questions_path: Path,
    requests_path: Path,
    generations_path: Path,
    name: Annotated[str, "of the answers, e.g. in tables"],
    claims_path: Path,
    dropped_path: Path,
) -> None:
    claims, reasons = statements(
        read_unique_rows(questions_path, AtomicQuestion, empty=True),
        read_unique_rows(requests_path, Request, empty=True),
        read_rows(generations_path, Generation),
    )
    samples = sum(claim.n for claim in claims)
    dropped = dropped_rows("sampled answers", reasons, STAGE)
    write_rows(claims_path, claims)
    write_json(dropped_path, {"name": name, "kept": samples, "dropped": dropped})
    program.log.info(f"{len(claims):,} statements of {samples:,} samples")


if __name__ == "__main__":
    program.cli(main)
