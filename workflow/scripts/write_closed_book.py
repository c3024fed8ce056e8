"""Write the closed-book requests: few-shot, and in the form the mixes are tuned in."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.config.slick import Slick
from plumbline.data.select import select
from plumbline.evaluation.closed_book import closed_book_request
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.slick.mixes import tuning_prompt
from plumbline.methods.slick.probing import (
    ExemplarSet,
    few_shot_prompt,
    greedy_sampling,
    usable_sets,
)
from plumbline.records import Question


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--exemplars", type=Path, required=True)
    parser.add_argument("--slick", required=True, help="JSON of the slick section")
    parser.add_argument("--form", required=True, help="plain or chat")
    parser.add_argument("--limit", type=int, required=True, help="questions a relation; 0: all")
    parser.add_argument("--few-shot", type=Path, required=True)
    parser.add_argument("--tuned", type=Path, required=True)
    args = parser.parse_args()
    settings = Slick.model_validate_json(args.slick)
    sampling = greedy_sampling(settings)

    questions = read_unique_rows(args.questions, Question)
    test = [question for question in questions if question.split == "test"]
    test, _ = select(test, {"test": args.limit or None}, settings.seed)
    sets: dict[str, list[ExemplarSet]] = {}
    for exemplar_set in read_unique_rows(args.exemplars, ExemplarSet):
        sets.setdefault(exemplar_set.relation, []).append(exemplar_set)
    write_rows(
        args.few_shot,
        (
            closed_book_request(
                one, few_shot_prompt(usable_sets(one, sets[one.relation])[0], one), sampling
            )
            for one in test
        ),
    )
    write_rows(
        args.tuned,
        (
            closed_book_request(one, tuning_prompt(one.question, args.form), sampling)
            for one in test
        ),
    )
    program.log.info(f"{len(test):,} test questions")


if __name__ == "__main__":
    program.run(main, "write_closed_book")
