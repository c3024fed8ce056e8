"""Compare what SliCK and P(True) call Unknown by how often tuned models answer it."""

import argparse
from pathlib import Path

from plumbline import lists, program
from plumbline.config.engines import Evaluation
from plumbline.evaluation.closed_book import Answer
from plumbline.files import read_unique_rows
from plumbline.methods.slick.p_true import PTrue, rows
from plumbline.methods.slick.tables import ProbeRow
from plumbline.tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the results folder")
    parser.add_argument(
        "--checkpoints", type=Path, required=True, help="list of rows model, seed, checkpoint, …"
    )
    parser.add_argument("--evaluation", required=True, help="JSON of the evaluation section")
    parser.add_argument("--table", type=Path, required=True)
    args = parser.parse_args()
    settings = Evaluation.model_validate_json(args.evaluation)
    table = []
    for one in lists.read(args.checkpoints, list[dict]):
        found = read_unique_rows(args.root / one["model"] / "slick/p_true.jsonl", PTrue)
        answers = read_unique_rows(args.root / one["folder"] / "closed_book/answers.jsonl", Answer)
        about = {name: one[name] for name in ("model", "seed", "checkpoint")}
        table += rows(answers, found, settings.confidence, **about)
    write_table(args.table, ProbeRow, table)


if __name__ == "__main__":
    program.run(main, "tabulate_p_true")
