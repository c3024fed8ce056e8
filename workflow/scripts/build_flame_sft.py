"""Build a training file of FLAME's first stage, and count what it is made of."""

import argparse
from pathlib import Path

from plumbline import knowledge, program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import InputError, read_rows, read_unique_rows, write_rows
from plumbline.methods.flame.own_answers import own_answers
from plumbline.methods.flame.sets import SftSet
from plumbline.methods.flame.sft import build_sft, composition
from plumbline.records import Generation, Request
from plumbline.responses.decisions import FactBased, fact_based_ids
from plumbline.training.sets import TrainingSet, dropped_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the tuning, <variant>.<set>")
    parser.add_argument("--set", choices=SftSet.__args__, required=True)
    parser.add_argument("--instructions", type=Path, required=True)
    parser.add_argument("--decisions", type=Path, help="what needs facts; sft can do without")
    parser.add_argument("--own-requests", type=Path, help="what the base was asked; not for sft")
    parser.add_argument("--own-generations", type=Path, help="what it answered; not for sft")
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--passes", type=int, required=True, help="over the instructions")
    knowledge.add_options(parser)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--composition", type=Path, required=True)
    args = parser.parse_args()
    instructions = read_instructions([args.instructions])
    own, dropped, facts = {}, [], None
    if args.decisions:
        decisions = read_unique_rows(args.decisions, FactBased)
        facts = fact_based_ids(decisions, [one.id for one in instructions])
    if args.set != "sft":
        if None in (args.decisions, args.own_requests, args.own_generations):
            raise InputError(
                f"set {args.set}: give --decisions, --own-requests and --own-generations."
            )
        own, reasons = own_answers(
            instructions,
            instructions,
            list(read_rows(args.own_requests, Request)),
            read_rows(args.own_generations, Generation),
        )
        dropped = dropped_rows("own answers", reasons, "flame")  # with or without passages
    built = build_sft(
        args.set,
        instructions,
        own,
        facts,
        form=args.form,
        seed=args.seed,
        passes=args.passes,
    )
    examples, known = knowledge.kept(built.rows, args, args.seed)
    dropped += knowledge.dropped_row("flame", f"{args.set} examples", known)
    made = composition(
        TrainingSet(args.name, examples, [*dropped, *built.dropped], knowledge.counted(known))
    )
    write_rows(args.examples, examples)
    made.write(args.composition)
    of_base = made.parts["own"] + made.parts["retrieved"]
    program.log.info(f"{args.name}: {made.rows:,} examples, {of_base:,} with an answer of the base")


if __name__ == "__main__":
    program.run(main, "build_flame_sft")
