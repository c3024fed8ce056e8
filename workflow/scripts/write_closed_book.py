"""Write the closed-book requests of every form that questions are asked in."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.config.closed_book import ENDINGS, closed_book_task
from plumbline.data.select import select
from plumbline.evaluation.closed_book import closed_book_request
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import (
    ExemplarSet,
    FreshExemplars,
    few_shot_prompt,
    greedy_sampling,
)
from plumbline.records import Question
from plumbline.responses.prompting import closed_book_prompt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all-questions", type=Path, required=True, help="of them exemplars")
    parser.add_argument("--questions", type=Path, required=True, help="the part that is asked")
    parser.add_argument(
        "--labelling", type=Path, nargs="*", default=[], help="the probe's exemplar sets, if any"
    )
    parser.add_argument("--name", required=True, help="of the set")
    parser.add_argument("--slick", required=True, help="JSON of the slick section")
    parser.add_argument("--forms", nargs="+", choices=list(ENDINGS), required=True)
    parser.add_argument("--limit", type=int, required=True, help="questions a relation; 0: all")
    parser.add_argument("--exemplars", type=Path, required=True, help="the sets shown")
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    settings = Slick.model_validate_json(args.slick)
    sampling = greedy_sampling(settings)

    questions = read_unique_rows(args.questions, Question)
    test = [question for question in questions if question.split == "test"]
    test, _ = select(test, {"test": args.limit or None}, settings.seed)
    fresh = FreshExemplars(
        read_unique_rows(args.all_questions, Question),
        [one for path in args.labelling for one in read_unique_rows(path, ExemplarSet)],
        settings,
    )

    def prompt(question: Question, form: str):
        if form == "few_shot":
            return few_shot_prompt(fresh.set_for(question), question)
        return closed_book_prompt(question.question, form)

    write_rows(
        args.requests,
        (
            closed_book_request(
                question, closed_book_task(args.name, form), prompt(question, form), sampling
            )
            for form in args.forms
            for question in test
        ),
    )
    write_rows(args.exemplars, (one for made in fresh.sets.values() for one in made))
    program.log.info(f"{len(test):,} test questions, asked in {len(args.forms)} forms")
    if shared := fresh.shared():
        program.log.warning(
            "too few dev questions for exemplars that the probe does not show; shared with it: "
            + ", ".join(f"{n} of {settings.shots} in {name}" for name, n in shared.items())
        )


if __name__ == "__main__":
    program.run(main, "write_closed_book")
