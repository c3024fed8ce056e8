"""Choose the questions to probe, draw the exemplar sets and write the requests."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.checkpoints import load_tokenizer
from plumbline.data.select import select
from plumbline.files import read_unique_rows, write_json, write_rows
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import answerable, draw_exemplar_sets, requests
from plumbline.records import Question


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slick", required=True, help="JSON of the slick section")
    parser.add_argument("--all-questions", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help="whose tokens count")
    parser.add_argument("--questions", type=Path, required=True, help="the part that is probed")
    parser.add_argument("--exemplars", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    settings = Slick.model_validate_json(args.slick)

    everything = read_unique_rows(args.all_questions, Question)
    sets = draw_exemplar_sets(everything, settings)
    tokenizer = load_tokenizer(args.checkpoint)
    questions, unanswerable = answerable(everything, tokenizer, settings.max_tokens)
    questions, counts = select(questions, settings.limit.model_dump(), settings.seed)
    dropped = [
        *unanswerable.items(),
        *(
            ((row["relation"], row["split"], "not_in_probed_part"), row["not_selected"])
            for row in counts
        ),
    ]
    write_rows(args.exemplars, sets)
    write_rows(args.questions, questions)
    number = write_rows(args.requests, requests(questions, sets, settings))
    write_json(
        args.dropped,
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
    program.run(main, "prepare_probe")
