"""Bring the fit of every mix into curves, epochs to a share fitted, and the linear model."""

import argparse
from pathlib import Path

from plumbline import lists, program
from plumbline.config.engines import Evaluation
from plumbline.files import read_json, read_rows, read_unique_rows
from plumbline.methods.slick import fit_speed
from plumbline.methods.slick.fitting import (
    MixRun,
    fit_curve_rows,
    linear_model_rows,
)
from plumbline.methods.slick.tables import FitPoint, FitSpeed, SlopeRow
from plumbline.records import Fit, Probe
from plumbline.tables import write_table
from plumbline.training.sets import Composition


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the run")
    parser.add_argument("--tunings", type=Path, required=True, help="list of rows")
    parser.add_argument("--evaluation", required=True, help="JSON of the evaluation section")
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--speed", type=Path, required=True)
    parser.add_argument("--line", type=Path, required=True)
    args = parser.parse_args()
    settings = Evaluation.model_validate_json(args.evaluation)
    how = {"confidence": settings.confidence, "resamples": settings.resamples}

    runs = []
    for row in lists.read(args.tunings, list[dict]):
        folder = args.root / row.pop("folder")
        stops = read_json(folder / "training.json")["stops"]
        runs.append(
            MixRun(
                **row,
                fits=list(read_rows(folder / "fit.jsonl", Fit)),
                probes=read_unique_rows(folder / "probes.jsonl", Probe),
                composition=Composition.read(folder / "composition.json"),
                stops={name: stop["epoch"] for name, stop in stops.items()},
            )
        )
    curves = [curve for run in runs for curve in fit_curve_rows(run, settings.confidence)]
    write_table(args.curves, FitPoint, curves)
    write_table(args.speed, FitSpeed, fit_speed.fit_speed_rows(runs, **how))
    write_table(args.line, SlopeRow, linear_model_rows(runs, settings.confidence))


if __name__ == "__main__":
    program.run(main, "tabulate_fits")
