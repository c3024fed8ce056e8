"""Put a judge to the test on pairs of known quality, made from the embedded instructions."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instructions import load_instructions
from plumbline.files import write_json
from plumbline.judging import judges
from plumbline.judging.calibration import calibrate, known_pairs
from plumbline.judging.records import Calibration, Use


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    judges.add_options(parser)
    parser.add_argument("--use", choices=Use.__args__, required=True, help="what it judges for")
    parser.add_argument("--calibration", type=Path, required=True)
    args = parser.parse_args()
    if args.checkpoint is None:
        found = Calibration(judge=args.judge, use=args.use, usable=True)
        program.log.info(f"{args.judge} is a measure, not a judge that could be put to the test")
    else:
        pairs = known_pairs(load_instructions("embedded")[0])
        found = calibrate(judges.load(args), args.judge, args.use, pairs)
        program.log.info(f"{found.told}: it is {'' if found.usable else 'not '}used")
    write_json(args.calibration, found.model_dump())


if __name__ == "__main__":
    program.run(main, "calibrate_judge")
