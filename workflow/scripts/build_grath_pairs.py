"""Build the training pairs of one round from round 0's outputs and those of the round's parent."""

import argparse
from pathlib import Path

from plumbline import knowledge, program
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.methods.grath.prompt import TAGS
from plumbline.methods.grath.rounds import ITEM, STAGE, build_round, composition, outputs
from plumbline.records import ChoiceQuestion, Generation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the tuning, <variant>.r<round>")
    parser.add_argument("--round", type=int, required=True, help="counted from 1")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--first", type=Path, required=True, help="generations of round 0")
    parser.add_argument(
        "--now", type=Path, required=True, help="generations of the parent; in round 1 the same"
    )
    parser.add_argument("--legacy-prompt", choices=list(TAGS), help="default: chat messages")
    parser.add_argument("--max-unparsed", type=float, required=True, help="per cent")
    knowledge.add_options(parser)
    parser.add_argument("--seed", type=int, default=0, help="of what the filter keeps")
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--composition", type=Path, required=True)
    args = parser.parse_args()
    questions = read_unique_rows(args.questions, ChoiceQuestion)
    built = build_round(
        questions,
        outputs(questions, read_rows(args.first, Generation)),
        outputs(questions, read_rows(args.now, Generation)),
        name=args.name,
        number=args.round,
        max_unparsed=args.max_unparsed,
        legacy_prompt=args.legacy_prompt,
    )
    pairs, known = knowledge.kept(built.rows, args, args.seed)
    lost = knowledge.dropped_row(STAGE, ITEM, known)
    built = built.only(pairs, lost, **knowledge.counted(known))
    made = composition(built)
    write_rows(args.pairs, built.rows)
    made.write(args.composition)
    counted = made.counted
    program.log.info(
        f"{args.name}: {counted['parsed']:,} of {counted['asked']:,} outputs parsed, "
        f"{made.rows:,} pairs, {counted['changed']:,} with a changed correct answer, "
        f"similarity {counted['similarity']:.2f}"
    )


if __name__ == "__main__":
    program.run(main, "build_grath_pairs")
