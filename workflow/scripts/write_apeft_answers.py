"""Choose the questions about single facts, and write the requests for many answers to each."""

from pathlib import Path
from typing import Annotated

from plumbline.claims.records import Claim, Verdict
from plumbline.jobs import program
from plumbline.methods.apeft import by_model, by_table
from plumbline.methods.apeft.pairs import STAGE
from plumbline.methods.apeft.questions import choose, distinct
from plumbline.records import Generation, Question, Request
from plumbline.responses.questions import answer_requests
from plumbline.storage.files import InputError, read_rows, read_unique_rows, write_json, write_rows
from plumbline.training.sets import dropped_rows


def main(
    *,
    claims_path: Path,
    verdicts_path: Path,
    facts_path: Path | None = None,
    question_requests_path: Path | None = None,
    question_generations_path: Path | None = None,
    per_entity: Annotated[int | None, "questions per entity; not given: all"] = None,
    samples: int,
    temperature: float,
    name: Annotated[str, "of the questions, e.g. in tables"],
    questions_path: Path,
    requests_path: Path,
    dropped_path: Path,
) -> None:
    claims, repeated = distinct(read_rows(claims_path, Claim))
    verdicts = {verdict.claim: verdict for verdict in read_rows(verdicts_path, Verdict)}
    if facts_path:
        facts = read_unique_rows(facts_path, Question)
        asked_about, without = by_table.questions(claims, verdicts, facts)
    elif question_requests_path and question_generations_path:
        asked_about, without = by_model.questions(
            claims,
            read_unique_rows(question_requests_path, Request, empty=True),
            read_rows(question_generations_path, Generation),
            verdicts,
        )
    else:
        raise InputError(
            "give --facts (questions by the tables), or --question-requests and "
            "--question-generations (questions by a model)."
        )
    questions, unasked = choose(asked_about, per_entity)
    asked = {question.id: question.question for question in questions}
    requests = answer_requests(asked, samples=samples, temperature=temperature)
    write_rows(questions_path, questions)
    write_rows(requests_path, requests)
    dropped = dropped_rows("facts to ask about", repeated + without + unasked, STAGE)
    write_json(dropped_path, {"name": name, "kept": len(questions), "dropped": dropped})
    program.log.info(f"{len(questions):,} questions about {len(claims):,} claims")


if __name__ == "__main__":
    program.cli(main)
