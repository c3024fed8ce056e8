"""Write the requests that have the questions about claims answered many times (FactTune-MC)."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.records import Generation, Request
from plumbline.responses.questions import answer_requests, questions
from plumbline.storage.files import read_rows, read_unique_rows, write_json, write_rows
from plumbline.training.sets import dropped_rows


def main(
    *,
    question_requests_path: Path,
    question_generations_path: Path,
    name: Annotated[str, "of the responses, e.g. in tables"],
    requests_path: Path,
    dropped_path: Annotated[Path, "claims without a question"],
) -> None:
    by_claim, reasons = questions(
        read_unique_rows(question_requests_path, Request, empty=True),
        read_rows(question_generations_path, Generation),
    )
    dropped = dropped_rows("claims to ask about", reasons, "flame")
    write_rows(requests_path, answer_requests(by_claim))
    write_json(dropped_path, {"name": name, "kept": len(by_claim), "dropped": dropped})
    program.log.info(f"{len(by_claim):,} questions; {reasons.total():,} claims have none")


if __name__ == "__main__":
    program.cli(main)
