"""Test a judge on pairs of known quality, made from the included instructions."""

from pathlib import Path
from typing import Annotated

from plumbline.data.instructions import load_instructions
from plumbline.jobs import program
from plumbline.judging import judges
from plumbline.judging.calibration import calibrate, known_pairs
from plumbline.judging.records import Calibration, Use
from plumbline.models import scoring_jobs
from plumbline.storage.files import write_json


def main(
    *,
    judging: judges.JudgeOptions,
    use: Annotated[Use, "what it judges for"],
    calibration_path: Path,
) -> None:
    if judging.checkpoint is None:
        calibration = Calibration(judge=judging.judge, use=use, usable=True)
        program.log.info(f"{judging.judge} is a measure, not a judge that could be put to the test")
    else:
        pairs = known_pairs(load_instructions("embedded")[0])
        calibration = calibrate(judges.load(judging), judging.judge, use, pairs)
        program.log.info(f"{calibration.told}: it is {'' if calibration.usable else 'not '}used")
    write_json(calibration_path, calibration.model_dump())


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
