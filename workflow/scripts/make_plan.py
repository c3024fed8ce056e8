"""Estimate what the run will cost."""

from pathlib import Path
from typing import Annotated

from plumbline.evaluation.overlaps import EvaluatedText
from plumbline.experiment import lineage, plan
from plumbline.experiment.config import load
from plumbline.jobs import program
from plumbline.records import ChoiceQuestion, Question, Record
from plumbline.storage.files import read_json, read_rows, read_unique_rows, write_json


def main(
    *,
    config: Annotated[dict, "the whole of it"],
    questions_path: Path,
    choices_paths: Annotated[tuple[Path, ...], "what is scored"] = (),
    closed_book_paths: Annotated[tuple[Path, ...], "sets, asked too"] = (),
    asked_paths: Annotated[tuple[Path, ...], "<method>/<questions>"] = (),
    instructions_paths: Annotated[tuple[Path, ...], "<set>.jsonl"] = (),
    harness_paths: Annotated[tuple[Path, ...], "<task>.jsonl"] = (),
    root: Annotated[Path, "folder of the run"],
    cores: int,
    plan_path: Path,
) -> None:
    settings = load(config)
    parameters = {}
    for model in settings.models:
        marker = root / model.name / "base" / "checkpoint.json"
        size = read_json(marker)["parameters"] if marker.exists() else None
        size = size or plan.parameters_of(model.name) or plan.parameters_of(model.source)
        if size is None:
            program.log.warning(
                f"{model.name}: its size is not known before import; 1B parameters are assumed"
            )
        parameters[model.name] = size or 1e9
    questions = read_unique_rows(questions_path, Question)
    choices = [row for path in choices_paths for row in read_unique_rows(path, ChoiceQuestion)]
    asked = {path.parent.name: list(read_unique_rows(path, ChoiceQuestion)) for path in asked_paths}
    closed_book = [
        row
        for path in closed_book_paths
        for row in read_unique_rows(path, Question)
        if row.split == "test"
    ]
    made = plan.make_plan(
        settings,
        lineage.build(settings),
        questions,
        choices,
        asked,
        {path.stem: sum(1 for _ in read_rows(path, Record)) for path in instructions_paths},
        parameters,
        cores,
        closed_book,
        {path.stem: list(read_rows(path, EvaluatedText)) for path in harness_paths},
    )
    write_json(plan_path, made)


if __name__ == "__main__":
    program.cli(main)
