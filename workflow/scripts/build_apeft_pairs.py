"""Build a training file of atomic and general pairs in one ratio (APEFT)."""

import argparse
from pathlib import Path

from plumbline import knowledge, program
from plumbline.claims.records import Verdict
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.methods.apeft.answers import Answered
from plumbline.methods.apeft.composition import of_mix
from plumbline.methods.apeft.mix import common_size, mixed
from plumbline.methods.apeft.pairs import STAGE, atomic, general
from plumbline.methods.apeft.questions import AtomicQuestion
from plumbline.responses.drawn import Response
from plumbline.training.sets import TrainingSet


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the training file")
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument("--verdicts", type=Path, required=True, help="on the responses' claims")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--answers", type=Path, required=True, help="statements of the answers")
    parser.add_argument("--answer-verdicts", type=Path, required=True, help="on the statements")
    parser.add_argument("--samples", type=int, required=True, help="answers drawn a question")
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    parser.add_argument("--general-per-entity", type=int, help="none given: all")
    parser.add_argument("--max-length-gap", type=int, required=True, help="in words")
    parser.add_argument("--percent", type=float, required=True, help="atomic pairs")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--size", type=int, help="pairs of the file")
    size.add_argument(
        "--percents", type=float, nargs="+", help="of all files; as many pairs as all can have"
    )
    parser.add_argument("--seed", type=int, required=True)
    knowledge.add_options(parser)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--composition", type=Path, required=True)
    return parser.parse_args()


def build(args: argparse.Namespace) -> dict[str, TrainingSet]:
    """All pairs of both kinds."""
    return {
        "atomic": atomic(
            read_unique_rows(args.questions, AtomicQuestion, empty=True),
            read_unique_rows(args.answers, Answered, empty=True),
            {one.claim: one for one in read_rows(args.answer_verdicts, Verdict)},
            samples=args.samples,
            form=args.form,
            max_length_gap=args.max_length_gap,
        ),
        "general": general(
            read_unique_rows(args.responses, Response),
            read_rows(args.verdicts, Verdict),
            form=args.form,
            per_entity=args.general_per_entity,
            seed=args.seed,
        ),
    }


def main() -> None:
    args = arguments()
    built = build(args)
    # Before the mix is drawn, so that its ratio stays exact.
    kept = {kind: knowledge.kept(one.rows, args, args.seed) for kind, one in built.items()}
    left = {kind: rows for kind, (rows, _) in kept.items()}
    filtered = [
        row
        for kind, (_, counts) in kept.items()
        for row in knowledge.dropped_row(STAGE, f"{kind} pairs", counts)
    ]
    lost = [*(row for one in built.values() for row in one.dropped), *filtered]
    reasons = {f"{row['item']}: {row['reason']}": row["n"] for row in lost}
    pairs = mixed(
        left["atomic"],
        left["general"],
        percent=args.percent,
        size=args.size or common_size(*map(len, left.values()), args.percents),
        seed=args.seed,
        reasons=reasons,
    )
    composition = of_mix(
        args.name,
        pairs,
        percent=args.percent,
        samples=args.samples,
        built=built,
        left=left,
        knowledge={kind: counts for kind, (_, counts) in kept.items()},
        filtered=filtered,
    )
    write_rows(args.pairs, pairs)
    composition.write(args.composition)
    used = " and ".join(f"{n:,} {kind}" for kind, n in composition.parts.items())
    program.log.info(f"{args.name}: {used} pairs")


if __name__ == "__main__":
    program.run(main, "build_apeft_pairs")
