"""Bring the steps of every preference training into one table; supervised ones have none."""

import argparse
from pathlib import Path

from plumbline import lists, program
from plumbline.files import read_json
from plumbline.tables import write_table
from plumbline.training.tables import PreferenceStep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--tunings",
        type=Path,
        required=True,
        help="list of rows model, seed, tuning, folder (below the root)",
    )
    parser.add_argument("--curves", type=Path, required=True)
    args = parser.parse_args()

    rows = []
    for about in lists.read(args.tunings, list[dict]):
        training = read_json(args.root / about["folder"] / "training.json")
        for point in training.get("curve", []):
            step = {name: round(value, 6) for name, value in point.items()}
            rows.append(
                {name: (about | step).get(name, "") for name in PreferenceStep.model_fields}
            )
    write_table(args.curves, PreferenceStep, rows)
    program.log.info(f"{len(rows):,} steps of preference training")


if __name__ == "__main__":
    program.run(main, "tabulate_curves")
