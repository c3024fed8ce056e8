"""Write the requests for several short answers to each training question, to be voted on."""

from pathlib import Path
from typing import Annotated

from plumbline.data.select import for_training, select
from plumbline.jobs import program
from plumbline.methods.consistency.prompt import vote_requests
from plumbline.records import Question
from plumbline.responses.prompting import Form
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    questions_path: Annotated[Path, "those that were probed"],
    form: Form,
    shots: Annotated[int, "few-shot examples before a question"],
    limit: Annotated[int | None, "questions per relation; not given: all"] = None,
    samples: int,
    temperature: float,
    max_tokens: int,
    seed: Annotated[int, "of the questions that are drawn"],
    requests_path: Path,
) -> None:
    questions = for_training(read_unique_rows(questions_path, Question))
    questions, _ = select(questions, {"train": limit}, seed)
    requests = vote_requests(
        questions,
        form=form,
        shots=shots,
        samples=samples,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    program.log.info(f"{write_rows(requests_path, requests):,} questions to be voted on")


if __name__ == "__main__":
    program.cli(main)
