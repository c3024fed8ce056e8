"""Have a judge say which of two checkpoints' responses is better, prompt by prompt."""

import argparse
from pathlib import Path
from statistics import fmean

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.evaluation.long_form import win_rate_items
from plumbline.files import read_json, read_rows, write_rows
from plumbline.judging import judges
from plumbline.judging.records import Calibration
from plumbline.judging.wins import preferences
from plumbline.responses.drawn import Response
from plumbline.responses.reading import one_each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    judges.add_options(parser)
    parser.add_argument("--calibration", type=Path, required=True, help="the judge's")
    parser.add_argument("--instructions", type=Path, required=True)
    parser.add_argument("--first", type=Path, required=True, help="responses whose wins count")
    parser.add_argument("--second", type=Path, required=True, help="responses of the baseline")
    parser.add_argument("--items", type=Path, required=True)
    args = parser.parse_args()
    prompts = read_instructions([args.instructions])
    texts = []
    for path in (args.first, args.second):
        found = one_each(prompts, read_rows(path, Response))
        empty = len(prompts) - len(found)
        program.log.info(f"{path}: {len(found):,} responses, {empty:,} empty")
        texts.append({one.id: found[one.id].text if one.id in found else "" for one in prompts})
    calibration = Calibration.model_validate(read_json(args.calibration))
    if calibration.usable:
        preferred = preferences(prompts, *texts, lambda: judges.load(args))
    else:
        program.log.warning(f"no win rate: {calibration.told}")
        preferred = {}
    items = win_rate_items(prompts, preferred)
    write_rows(args.items, items)
    if wins := [item.metrics["win"] for item in items if "win" in item.metrics]:
        program.log.info(f"wins {fmean(wins):.3f} of {len(wins):,} comparisons")


if __name__ == "__main__":
    program.run(main, "judge_comparisons")
