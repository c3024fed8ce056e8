"""Estimate what the run will cost."""

import argparse
import json
from pathlib import Path

from plumbline import program
from plumbline.experiment import config, lineage, plan
from plumbline.files import read_json, read_rows, read_unique_rows, write_json
from plumbline.records import ChoiceQuestion, Question, Record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="JSON of the whole configuration")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--choices", type=Path, nargs="*", default=[], help="what is scored")
    parser.add_argument("--closed-book", type=Path, nargs="*", default=[], help="sets, asked too")
    parser.add_argument("--asked", type=Path, nargs="*", default=[], help="<method>/<questions>")
    parser.add_argument("--instructions", type=Path, nargs="*", default=[], help="<set>.jsonl")
    parser.add_argument("--root", type=Path, required=True, help="folder of the run")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--plan", type=Path, required=True)
    args = parser.parse_args()
    settings = config.load(json.loads(args.config))
    parameters = {}
    for model in settings.models:
        marker = args.root / model.name / "base" / "checkpoint.json"
        size = read_json(marker)["parameters"] if marker.exists() else None
        size = size or plan.parameters_of(model.name) or plan.parameters_of(model.source)
        if size is None:
            program.log.warning(
                f"{model.name}: its size is not known before it is imported; 1B is assumed"
            )
        parameters[model.name] = size or 1e9
    questions = read_unique_rows(args.questions, Question)
    choices = [row for path in args.choices for row in read_unique_rows(path, ChoiceQuestion)]
    asked = {path.parent.name: list(read_unique_rows(path, ChoiceQuestion)) for path in args.asked}
    closed_book = [
        row
        for path in args.closed_book
        for row in read_unique_rows(path, Question)
        if row.split == "test"
    ]
    made = plan.make_plan(
        settings,
        lineage.build(settings),
        questions,
        choices,
        asked,
        {path.stem: sum(1 for _ in read_rows(path, Record)) for path in args.instructions},
        parameters,
        args.cores,
        closed_book,
    )
    write_json(args.plan, made)


if __name__ == "__main__":
    program.run(main, "make_plan")
