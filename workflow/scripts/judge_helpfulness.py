"""Have a judge rate how helpful responses are: FLAME's reward RM_IF."""

from pathlib import Path
from typing import Annotated

from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.judging import judges
from plumbline.judging.records import Calibration
from plumbline.methods.flame.rewards import helpfulness
from plumbline.models import scoring_jobs
from plumbline.responses.drawn import DrawnResponse
from plumbline.storage.files import read_json, read_unique_rows, write_rows


def main(
    *,
    judging: judges.JudgeOptions,
    calibration_path: Annotated[Path, "the judge's"],
    instructions_path: Path,
    responses_path: Path,
    helpful_path: Path,
) -> None:
    calibration = Calibration.model_validate(read_json(calibration_path))
    responses = read_unique_rows(responses_path, DrawnResponse)
    if not calibration.usable:
        program.log.warning(f"no response is rated: {calibration.told}")
    judge = judges.load(judging) if calibration.usable else None
    rows = helpfulness(read_instructions([instructions_path]), responses, judge)
    write_rows(helpful_path, rows)
    rated = sum(row.score is not None for row in rows)
    program.log.info(f"{rated:,} of {len(rows):,} responses rated")


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
