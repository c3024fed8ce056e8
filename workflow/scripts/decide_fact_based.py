"""Decide which instructions need facts: by how likely a model finds Yes and No."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import write_rows
from plumbline.judging import judges
from plumbline.methods.flame.fact_based import classify
from plumbline.responses.decisions import labelled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, nargs="+", required=True)
    judges.add_options(parser)
    parser.add_argument(
        "--trust-labels", action="store_true", help="go by a source's own marks where it has them"
    )
    parser.add_argument("--decisions", type=Path, required=True)
    args = parser.parse_args()
    instructions = read_instructions(args.instructions)
    decisions = classify(instructions, judges.asking(args), args.form)
    decisions = labelled(decisions, instructions, args.trust_labels)
    write_rows(args.decisions, decisions)
    for fact_based, n in sorted(Counter(one.fact_based for one in decisions).items()):
        program.log.info(f"{n:,} {'' if fact_based else 'not '}fact-based")
    agree = [one.fact_based == one.label for one in decisions if one.label is not None]
    if agree:
        program.log.info(f"{sum(agree):,} of {len(agree):,} labelled ones decided as labelled")


if __name__ == "__main__":
    program.run(main, "decide_fact_based")
