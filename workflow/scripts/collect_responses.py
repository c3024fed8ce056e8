"""Make responses of what a model generated for instructions, and count what is lost."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import read_rows, read_unique_rows, write_json, write_rows
from plumbline.records import Generation, Request
from plumbline.responses.drawn import collect
from plumbline.training.sets import dropped_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, nargs="+", required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument(
        "--unfinished", action="store_true", help="keep what the token limit cut off"
    )
    parser.add_argument(
        "--whole-sentences", action="store_true", help="of what was cut off keep whole sentences"
    )
    parser.add_argument("--stage", required=True, help="that what is dropped counts for")
    parser.add_argument("--name", required=True, help="of the responses, e.g. in tables")
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    responses, reasons = collect(
        read_instructions(args.instructions),
        read_unique_rows(args.requests, Request),
        read_rows(args.generations, Generation),
        unfinished=args.unfinished,
        whole_sentences=args.whole_sentences,
    )
    dropped = dropped_rows("responses", reasons, args.stage)
    write_rows(args.responses, responses)
    write_json(args.dropped, {"name": args.name, "kept": len(responses), "dropped": dropped})
    lost = "".join(f", {n:,} {reason}" for reason, n in sorted(reasons.items()))
    program.log.info(f"{args.name}: {len(responses):,} responses{lost}")


if __name__ == "__main__":
    program.run(main, "collect_responses")
