"""Count a judge's comparisons: whose response won, prompt by prompt."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.evaluation.long_form import win_rate_items
from plumbline.files import read_rows, write_rows
from plumbline.methods.flame.compare import comparisons
from plumbline.records import Generation, Request


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--items", type=Path, required=True)
    args = parser.parse_args()
    prompts = read_instructions([args.instructions])
    found = comparisons(
        prompts, read_rows(args.requests, Request), read_rows(args.generations, Generation)
    )
    write_rows(
        args.items, win_rate_items(prompts, {one.id: (one.outcome, one.value) for one in found})
    )
    counts = Counter(one.outcome for one in found)
    program.log.info(", ".join(f"{n:,} {outcome}" for outcome, n in sorted(counts.items())))


if __name__ == "__main__":
    program.run(main, "judge_comparisons")
