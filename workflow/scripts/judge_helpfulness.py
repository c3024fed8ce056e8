"""Have a judge rate how helpful responses are: FLAME's reward RM_IF."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import read_json, read_unique_rows, write_rows
from plumbline.judging import judges
from plumbline.judging.records import Calibration
from plumbline.methods.flame.rewards import helpfulness
from plumbline.responses.drawn import Response


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    judges.add_options(parser)
    parser.add_argument("--calibration", type=Path, required=True, help="the judge's")
    parser.add_argument("--instructions", type=Path, required=True)
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument("--helpful", type=Path, required=True)
    args = parser.parse_args()
    calibration = Calibration.model_validate(read_json(args.calibration))
    responses = read_unique_rows(args.responses, Response)
    if not calibration.usable:
        program.log.warning(f"no response is rated: {calibration.told}")
    judge = judges.load(args) if calibration.usable else None
    rows = helpfulness(read_instructions([args.instructions]), responses, judge)
    write_rows(args.helpful, rows)
    rated = sum(row.score is not None for row in rows)
    program.log.info(f"{rated:,} of {len(rows):,} responses rated")


if __name__ == "__main__":
    program.run(main, "judge_helpfulness")
