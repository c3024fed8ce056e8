"""Take responses apart into claims: by a model's lists if they are given, else by rule."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import program
from plumbline.claims.by_model import split_from_generations
from plumbline.claims.by_rule import split_by_rule
from plumbline.files import read_rows, write_rows
from plumbline.records import Generation
from plumbline.responses.reading import read_responses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument(
        "--decisions", type=Path, help="only of responses to instructions that need facts"
    )
    parser.add_argument("--generations", type=Path, help="the model's lists; without: by rule")
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--splittings", type=Path, required=True)
    args = parser.parse_args()
    responses = read_responses(args.responses, args.decisions)
    if args.generations:
        lists = read_rows(args.generations, Generation)
        claims, splittings = split_from_generations(responses, lists)
    else:
        claims, splittings = split_by_rule(responses)
    write_rows(args.claims, claims)
    write_rows(args.splittings, splittings)
    states = Counter(splitting.state.value for splitting in splittings)
    told = "".join(f", {n:,} {state}" for state, n in sorted(states.items()))
    program.log.info(f"{len(claims):,} claims of {len(responses):,} responses{told}")


if __name__ == "__main__":
    program.run(main, "split_claims")
