"""Refuse a training file that contains too much of an evaluation set, just before training on it."""

from pathlib import Path
from typing import Annotated

from plumbline.config.contamination import ContaminationSettings
from plumbline.evaluation.overlaps import measure_files, refuse
from plumbline.jobs import program


def main(
    *,
    name: Annotated[str, "the tuning"],
    training_path: Annotated[Path, "examples or pairs"],
    model: str,
    evaluated: Annotated[dict[str, dict[str, Path]], "by model, evaluation sets' files by name"],
    contamination: ContaminationSettings,
) -> None:
    sets = evaluated[model]
    absent = [set_ for set_, path in sets.items() if not path.exists()]
    if absent:
        # New, or being made again at this moment. The table's program refuses what they contain.
        program.log.warning(f"{name}: not yet compared with {', '.join(absent)}")
    there = {set_: path for set_, path in sets.items() if set_ not in absent}
    measured = measure_files(name, training_path, there, contamination.ngram)
    refuse(measured, contamination.max_percent)
    most = max((overlap.percent for overlap in measured.overlaps), default=0)
    program.log.info(f"{name}: holds at most {most:.2f} % of an evaluation set")


if __name__ == "__main__":
    program.cli(main)
