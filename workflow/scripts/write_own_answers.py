"""Write the few-shot requests for the base's own answers to instructions."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.flame.own_answers import own_answer_requests
from plumbline.responses import drawn
from plumbline.responses.decisions import FactBased, fact_based_ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, required=True, help="also what is shown")
    parser.add_argument("--decisions", type=Path, help="only those that need facts are asked")
    parser.add_argument("--shots", type=int, required=True)
    drawn.add_sampling(parser)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    instructions = read_instructions([args.instructions])
    wanted = {one.id for one in instructions}
    if args.decisions:
        wanted = fact_based_ids(read_unique_rows(args.decisions, FactBased), wanted)
    requests = own_answer_requests(
        [one for one in instructions if one.id in wanted],
        instructions,
        shots=args.shots,
        **drawn.sampling(args),
    )
    written = write_rows(args.requests, requests)
    program.log.info(f"{written:,} requests for {len(instructions):,} instructions")


if __name__ == "__main__":
    program.run(main, "write_own_answers")
