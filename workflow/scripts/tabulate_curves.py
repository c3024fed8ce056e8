"""Collect the steps of every preference training in one table; supervised ones have none."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.storage.files import read_json
from plumbline.tables import write_table
from plumbline.training.tables import PreferenceStep


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    tunings: Annotated[list[dict], "rows model, seed, tuning, folder (below the root)"],
    curves_path: Path,
) -> None:
    rows = []
    for tuning in tunings:
        training = read_json(root / tuning["folder"] / "training.json")
        for point in training.get("curve", []):
            step = {name: round(value, 6) for name, value in point.items()}
            rows.append(
                {name: (tuning | step).get(name, "") for name in PreferenceStep.model_fields}
            )
    write_table(curves_path, PreferenceStep, rows)
    program.log.info(f"{len(rows):,} steps of preference training")


if __name__ == "__main__":
    program.cli(main)
