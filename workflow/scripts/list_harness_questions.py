"""List the questions of an LM evaluation harness task, for the comparison with training files."""

import logging
import os
from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.storage.files import write_rows


def main(
    *,
    task: Annotated[str, "its name in its file"],
    folder: Annotated[Path, "of the task files"],
    shots: int,
    limit: Annotated[int, "questions, 0: all"] = 0,
    questions_path: Path,
) -> None:
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")

    from plumbline.evaluation.harness import questions

    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    asked = questions(task, folder, shots=shots, limit=limit or None)
    written = write_rows(questions_path, asked)
    program.log.info(f"{task}: {written:,} questions")


if __name__ == "__main__":
    program.cli(main)
