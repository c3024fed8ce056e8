"""Have a judge say which of two checkpoints' responses is better, prompt by prompt."""

from pathlib import Path
from statistics import fmean
from typing import Annotated

from plumbline.data.instruction_sets import read_instructions
from plumbline.evaluation.long_form import win_rate_items
from plumbline.jobs import program
from plumbline.judging import judges
from plumbline.judging.records import Calibration
from plumbline.judging.wins import preferences
from plumbline.models import scoring_jobs
from plumbline.responses.drawn import DrawnResponse
from plumbline.responses.reading import one_each
from plumbline.storage.files import read_json, read_rows, write_rows


def main(
    *,
    judging: judges.JudgeOptions,
    calibration_path: Annotated[Path, "the judge's"],
    instructions_path: Path,
    first_path: Annotated[Path, "responses whose wins count"],
    second_path: Annotated[Path, "responses of the baseline"],
    items_path: Path,
) -> None:
    prompts = read_instructions([instructions_path])
    texts = []
    for path in (first_path, second_path):
        responses = one_each(prompts, read_rows(path, DrawnResponse))
        empty = len(prompts) - len(responses)
        program.log.info(f"{path}: {len(responses):,} responses, {empty:,} empty")
        texts.append(
            {
                prompt.id: responses[prompt.id].text if prompt.id in responses else ""
                for prompt in prompts
            }
        )
    calibration = Calibration.model_validate(read_json(calibration_path))
    if calibration.usable:
        preferred = preferences(prompts, *texts, lambda: judges.load(judging))
    else:
        program.log.warning(f"no win rate: {calibration.told}")
        preferred = {}
    items = win_rate_items(prompts, preferred)
    write_rows(items_path, items)
    if wins := [item.metrics["win"] for item in items if "win" in item.metrics]:
        program.log.info(f"wins {fmean(wins):.3f} of {len(wins):,} comparisons")


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
