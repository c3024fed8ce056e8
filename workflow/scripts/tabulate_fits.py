"""Turn the fits of all mixes into curves, epochs to a fitted share, and the linear model."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Evaluation
from plumbline.jobs import program
from plumbline.methods.slick import fit_speed
from plumbline.methods.slick.fitting import (
    MixRun,
    fit_curve_rows,
    linear_model_rows,
)
from plumbline.methods.slick.tables import FitPoint, FitSpeed, SlopeRow
from plumbline.tables import write_table


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    tunings: list[dict],
    evaluation: Evaluation,
    curves_path: Path,
    speed_path: Path,
    line_path: Path,
) -> None:
    how = {"confidence": evaluation.confidence, "resamples": evaluation.resamples}

    runs = [MixRun.read(root / row.pop("folder"), **row) for row in tunings]
    curves = [curve for run in runs for curve in fit_curve_rows(run, evaluation.confidence)]
    write_table(curves_path, FitPoint, curves)
    write_table(speed_path, FitSpeed, fit_speed.fit_speed_rows(runs, **how))
    write_table(line_path, SlopeRow, linear_model_rows(runs, evaluation.confidence))


if __name__ == "__main__":
    program.cli(main)
