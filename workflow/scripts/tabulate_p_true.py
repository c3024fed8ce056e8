"""Compare what SliCK and P(True) call Unknown, by how often tuned models answer it."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Evaluation
from plumbline.evaluation.exact_answers import Answer
from plumbline.jobs import program
from plumbline.methods.slick.p_true import PTrue, rows
from plumbline.methods.slick.tables import ProbeRow
from plumbline.storage.files import read_unique_rows
from plumbline.tables import write_table


def main(
    *,
    root: Annotated[Path, "the results folder"],
    checkpoints: Annotated[list[dict], "rows model, seed, checkpoint, …"],
    evaluation: Evaluation,
    table_path: Path,
) -> None:
    table = []
    for checkpoint in checkpoints:
        measured = read_unique_rows(root / checkpoint["model"] / "slick/p_true.jsonl", PTrue)
        answers = read_unique_rows(
            root / checkpoint["folder"] / "closed_book/answers.jsonl", Answer
        )
        whose = {name: checkpoint[name] for name in ("model", "seed", "checkpoint")}
        table += rows(answers, measured, evaluation.confidence, **whose)
    write_table(table_path, ProbeRow, table)


if __name__ == "__main__":
    program.cli(main)
