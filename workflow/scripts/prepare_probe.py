"""Choose the questions to probe, draw the exemplar sets, and write the requests."""

from pathlib import Path
from typing import Annotated

from plumbline.data.select import select
from plumbline.jobs import program
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import answerable, draw_exemplar_sets, requests
from plumbline.models.checkpoints import load_tokenizer
from plumbline.records import Question
from plumbline.storage.files import read_unique_rows, write_json, write_rows


def main(
    *,
    slick: Slick,
    all_questions_path: Path,
    checkpoint: Annotated[Path, "whose tokens count"],
    questions_path: Annotated[Path, "the part that is probed"],
    test_path: Annotated[Path, "all test questions that an answer can get right"],
    exemplars_path: Path,
    requests_path: Path,
    dropped_path: Path,
) -> None:
    everything = read_unique_rows(all_questions_path, Question)
    sets = draw_exemplar_sets(everything, slick)
    tokenizer = load_tokenizer(checkpoint)
    questions, unanswerable = answerable(everything, tokenizer, slick.max_tokens)
    write_rows(test_path, [question for question in questions if question.split == "test"])
    questions, counts = select(questions, slick.limit.model_dump(), slick.seed)
    dropped = [
        *unanswerable.items(),
        *(
            ((row["relation"], row["split"], "not_in_probed_part"), row["not_selected"])
            for row in counts
        ),
    ]
    write_rows(exemplars_path, sets)
    write_rows(questions_path, questions)
    number = write_rows(requests_path, requests(questions, sets, slick))
    write_json(
        dropped_path,
        [
            {"stage": "slick", "item": f"{relation} {split}", "reason": reason, "n": n}
            for (relation, split, reason), n in dropped
            if n
        ],
    )
    program.log.info(
        f"{len(questions):,} questions, {len(sets)} exemplar sets, {number:,} requests"
    )


if __name__ == "__main__":
    program.cli(main)
