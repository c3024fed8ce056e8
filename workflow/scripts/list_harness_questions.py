"""List what a task of the LM evaluation harness asks, for the comparison with training files."""

import argparse
import logging
import os
from pathlib import Path

from plumbline import program
from plumbline.files import write_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True, help="its name in its file")
    parser.add_argument("--folder", type=Path, required=True, help="of the task files")
    parser.add_argument("--shots", type=int, required=True)
    parser.add_argument("--limit", type=int, default=0, help="questions, 0: all")
    parser.add_argument("--questions", type=Path, required=True)
    args = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")

    from plumbline.evaluation.harness import questions

    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    found = questions(args.task, args.folder, shots=args.shots, limit=args.limit or None)
    written = write_rows(args.questions, found)
    program.log.info(f"{args.task}: {written:,} questions")


if __name__ == "__main__":
    program.run(main, "list_harness_questions")
