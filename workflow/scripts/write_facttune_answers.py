"""Write the requests that have the questions about claims answered many times (FactTune-MC)."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_rows, read_unique_rows, write_json, write_rows
from plumbline.records import Generation, Request
from plumbline.responses.questions import answer_requests, questions
from plumbline.training.sets import dropped_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--question-requests", type=Path, required=True)
    parser.add_argument("--question-generations", type=Path, required=True)
    parser.add_argument("--name", required=True, help="of the responses, e.g. in tables")
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True, help="claims without a question")
    args = parser.parse_args()
    found, reasons = questions(
        read_unique_rows(args.question_requests, Request, empty=True),
        read_rows(args.question_generations, Generation),
    )
    dropped = dropped_rows("claims to ask about", reasons, "flame")
    write_rows(args.requests, answer_requests(found))
    write_json(args.dropped, {"name": args.name, "kept": len(found), "dropped": dropped})
    program.log.info(f"{len(found):,} questions; {reasons.total():,} claims have none")


if __name__ == "__main__":
    program.run(main, "write_facttune_answers")
