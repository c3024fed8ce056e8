"""Measure how factual a checkpoint's long responses are."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.claims.records import Claim, Splitting, Verdict
from plumbline.data.instruction_sets import read_instructions
from plumbline.evaluation.long_form import long_form_items
from plumbline.files import read_rows, write_rows
from plumbline.responses.drawn import Response
from plumbline.responses.reading import one_each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, nargs="+", required=True)
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument("--splittings", type=Path, required=True)
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--verdicts", type=Path, required=True)
    parser.add_argument("--gamma", type=float, required=True, help="of the length penalty; 0: off")
    parser.add_argument("--k", type=int, nargs="+", required=True, help="of F1@K")
    parser.add_argument("--items", type=Path, required=True)
    args = parser.parse_args()
    prompts = read_instructions(args.instructions)
    items = long_form_items(
        prompts,
        one_each(prompts, read_rows(args.responses, Response)),
        list(read_rows(args.splittings, Splitting)),
        read_rows(args.claims, Claim),
        read_rows(args.verdicts, Verdict),
        gamma=args.gamma,
        ks=args.k,
    )
    write_rows(args.items, items)
    claims, decided, supported = (
        int(sum(item.metrics.get(name, 0) for item in items))
        for name in ("claims", "decided", "supported")
    )
    program.log.info(
        f"{len(items):,} prompts, {claims:,} claims, {decided:,} decided, {supported:,} supported"
    )


if __name__ == "__main__":
    program.run(main, "measure_long_form")
