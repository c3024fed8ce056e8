"""Choose the questions about single facts, and write the requests for many answers to each."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import program
from plumbline.claims.records import Claim, Verdict
from plumbline.files import InputError, read_rows, read_unique_rows, write_json, write_rows
from plumbline.methods.apeft import by_model, by_table
from plumbline.methods.apeft.pairs import STAGE
from plumbline.methods.apeft.questions import AtomicQuestion, choose, distinct
from plumbline.records import Generation, Question, Request
from plumbline.responses.questions import answer_requests
from plumbline.training.sets import dropped_rows


def found_questions(
    claims: list[Claim], args: argparse.Namespace
) -> tuple[list[AtomicQuestion], Counter]:
    """By the tables from verdicts and facts, or by a model from what it generated."""
    verdicts = {one.claim: one for one in read_rows(args.verdicts, Verdict)}
    if args.facts:
        return by_table.questions(claims, verdicts, read_unique_rows(args.facts, Question))
    if args.question_requests and args.question_generations:
        return by_model.questions(
            claims,
            read_unique_rows(args.question_requests, Request, empty=True),
            read_rows(args.question_generations, Generation),
            verdicts,
        )
    raise InputError(
        "give --facts (questions by the tables), or --question-requests and "
        "--question-generations (questions by a model)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--verdicts", type=Path, required=True)
    parser.add_argument("--facts", type=Path)
    parser.add_argument("--question-requests", type=Path)
    parser.add_argument("--question-generations", type=Path)
    parser.add_argument("--per-entity", type=int, help="questions an entity; none given: all")
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--temperature", type=float, required=True)
    parser.add_argument("--name", required=True, help="of the questions, e.g. in tables")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    claims, repeated = distinct(read_rows(args.claims, Claim))
    found, without = found_questions(claims, args)
    questions, unasked = choose(found, args.per_entity)
    asked = {one.id: one.question for one in questions}
    requests = answer_requests(asked, samples=args.samples, temperature=args.temperature)
    write_rows(args.questions, questions)
    write_rows(args.requests, requests)
    dropped = dropped_rows("facts to ask about", repeated + without + unasked, STAGE)
    write_json(args.dropped, {"name": args.name, "kept": len(questions), "dropped": dropped})
    program.log.info(f"{len(questions):,} questions about {len(claims):,} claims")


if __name__ == "__main__":
    program.run(main, "write_apeft_answers")
