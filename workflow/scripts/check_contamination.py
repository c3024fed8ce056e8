"""Refuse a training file that holds too much of an evaluation set, just before it is trained on."""

import argparse
from pathlib import Path

from plumbline import lists, program
from plumbline.config.contamination import Contamination as Settings
from plumbline.evaluation.contamination import measure_files, refuse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the tuning")
    parser.add_argument("--training", type=Path, required=True, help="examples or pairs")
    parser.add_argument("--model", required=True)
    parser.add_argument(
        "--evaluated",
        type=Path,
        required=True,
        help="list: by model, evaluation sets' files by name",
    )
    parser.add_argument("--contamination", required=True, help="JSON of the section")
    args = parser.parse_args()
    settings = Settings.model_validate_json(args.contamination)
    sets = lists.read(args.evaluated, dict[str, dict[str, Path]])[args.model]
    absent = [name for name, path in sets.items() if not path.exists()]
    if absent:
        # New, or just being made again. What is in them is refused when the table is made.
        program.log.warning(f"{args.name}: not yet compared with {', '.join(absent)}")
    there = {name: path for name, path in sets.items() if name not in absent}
    found = measure_files(args.name, args.training, there, settings.ngram)
    refuse(found, settings.max_percent)
    most = max((one.percent for one in found.overlaps), default=0)
    program.log.info(f"{args.name}: holds at most {most:.2f} % of an evaluation set")


if __name__ == "__main__":
    program.run(main, "check_contamination")
