"""Build the training pairs of FLAME's second stage from scored responses."""

import argparse
from pathlib import Path

from plumbline import knowledge, program
from plumbline.claims.records import Splitting, Verdict
from plumbline.files import (
    InputError,
    read_json,
    read_rows,
    read_unique_rows,
    write_rows,
)
from plumbline.judging.records import Calibration
from plumbline.methods.flame.composition import check_same_run, of_pairs
from plumbline.methods.flame.pairs import build_pairs, check_sources, training_order
from plumbline.methods.flame.sets import PairSet
from plumbline.responses import scores
from plumbline.responses.decisions import FactBased, fact_based_ids
from plumbline.responses.drawn import Response
from plumbline.training.sets import TrainingSet


def factual_scores(args: argparse.Namespace) -> list[scores.Factuality]:
    """By the file that the set goes by; InputError where another one, or none, was given."""
    wanted, other = args.verdicts, args.confidence
    if args.set == "facttune-mc":
        wanted, other = other, wanted
    if wanted is None or other is not None:
        name = "--confidence" if args.set == "facttune-mc" else "--verdicts"
        raise InputError(f"set {args.set}: its factual scores are those of {name}; give that file.")
    if args.set == "facttune-mc":
        return read_unique_rows(wanted, scores.Factuality, empty=True)
    return scores.factuality(read_rows(wanted, Verdict))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the tuning, <variant>.<parent>.<set>")
    parser.add_argument("--set", choices=PairSet.__args__, required=True)
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument("--helpful", type=Path, required=True, help="ratings of the responses")
    parser.add_argument("--calibration", type=Path, required=True, help="of who rated them")
    parser.add_argument("--splittings", type=Path, required=True)
    parser.add_argument("--verdicts", type=Path, help="of the claims; not for facttune-mc")
    parser.add_argument("--confidence", type=Path, help="of the responses; for facttune-mc")
    parser.add_argument("--decisions", type=Path, required=True)
    parser.add_argument("--batch", type=int, required=True, help="pairs a step")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--min-pairs", type=int, required=True, help="different ones of a source")
    parser.add_argument("--max-repeats", type=int, required=True, help="of a pair")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    knowledge.add_options(parser)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--composition", type=Path, required=True)
    args = parser.parse_args()
    responses = read_unique_rows(args.responses, Response)
    decisions = read_unique_rows(args.decisions, FactBased)
    fact_based = fact_based_ids(decisions, {one.instruction for one in responses})
    calibration = Calibration.model_validate(read_json(args.calibration))
    helpful = read_unique_rows(args.helpful, scores.Helpfulness)
    factual = factual_scores(args)
    splittings = read_rows(args.splittings, Splitting)
    check_same_run(
        responses, helpful, splittings, factual, fact_based, every=args.confidence is None
    )

    scored = scores.scored(responses, helpful, factual)
    pairs, dropped = build_pairs(
        args.set, scored, fact_based, form=args.form, judged=calibration.usable
    )
    left, known = knowledge.kept(
        [one for found in pairs.values() for one in found], args, args.seed
    )
    pairs = {source: [one for one in left if one.source == source] for source in pairs}
    dropped += knowledge.dropped_row("flame", f"{args.set}: pairs", known)
    rows = args.batch * args.steps
    check_sources(
        args.name, pairs, dropped,
        rows=rows, min_pairs=args.min_pairs, max_repeats=args.max_repeats,
    )  # fmt: skip
    order = training_order(pairs, batch=args.batch, steps=args.steps, seed=args.seed)
    built = TrainingSet(args.name, order, dropped, knowledge.counted(known))
    composition = of_pairs(built, scored, helpful, pairs)
    write_rows(args.pairs, order)
    composition.write(args.composition)
    found = ", ".join(f"{n:,} {source}" for source, n in composition.parts.items())
    program.log.info(f"{args.name}: {found} pairs for {composition.rows:,} rows")


if __name__ == "__main__":
    program.run(main, "build_flame_pairs")
