"""Write closed-book requests: a file for each set of forms in which some checkpoint is asked."""

from pathlib import Path
from typing import Annotated

from plumbline.config.closed_book import closed_book_task
from plumbline.data.select import select
from plumbline.evaluation.exact_answers import closed_book_request
from plumbline.jobs import program
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import (
    ExemplarSet,
    FreshExemplars,
    few_shot_prompt,
    greedy_sampling,
)
from plumbline.records import Question
from plumbline.responses.prompting import closed_book_prompt
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    all_questions_path: Annotated[Path, "of them exemplars"],
    questions_path: Annotated[Path, "the part that is asked"],
    labelling_paths: Annotated[tuple[Path, ...], "the probe's exemplar sets, if any"] = (),
    name: Annotated[str, "of the set"],
    slick: Slick,
    forms: Annotated[list[str], "of each file, joined by +"],
    limit: Annotated[int, "questions per relation; 0: all"],
    exemplars_path: Annotated[Path, "the sets shown"],
    requests_paths: Annotated[tuple[Path, ...], "in the order of the forms"],
) -> None:
    sampling = greedy_sampling(slick)

    questions = read_unique_rows(questions_path, Question)
    test = [question for question in questions if question.split == "test"]
    test, _ = select(test, {"test": limit or None}, slick.seed)
    fresh = FreshExemplars(
        read_unique_rows(all_questions_path, Question),
        [
            exemplars
            for path in labelling_paths
            for exemplars in read_unique_rows(path, ExemplarSet)
        ],
        slick,
    )

    def prompt(question: Question, form: str):
        if form == "few_shot":
            return few_shot_prompt(fresh.set_for(question), question)
        return closed_book_prompt(question.question, form)

    for together, path in zip(forms, requests_paths, strict=True):
        write_rows(
            path,
            (
                closed_book_request(
                    question, closed_book_task(name, form), prompt(question, form), sampling
                )
                for form in together.split("+")
                for question in test
            ),
        )
    write_rows(exemplars_path, (exemplars for made in fresh.sets.values() for exemplars in made))
    program.log.info(f"{len(test):,} test questions, asked {', '.join(forms)}")
    if shared := fresh.shared():
        program.log.warning(
            "too few dev questions for exemplars that the probe does not show; shared with it: "
            + ", ".join(f"{n} of {slick.shots} in {drawn}" for drawn, n in shared.items())
        )


if __name__ == "__main__":
    program.cli(main)
