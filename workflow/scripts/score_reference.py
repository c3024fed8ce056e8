"""Compute the log-probabilities of a training file's pairs under a fixed reference."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Scoring
from plumbline.jobs import program
from plumbline.models import checkpoints, scoring_jobs
from plumbline.storage.files import write_rows


def main(
    *,
    pairs_path: Path,
    checkpoint: Path,
    max_length: int,
    precision: Annotated[str, "of the training"],
    device: str,
    threads: int,
    scoring: Scoring,
    reference_path: Path,
) -> None:
    from plumbline.training.data import load_pairs
    from plumbline.training.reference import compute

    tokenizer = checkpoints.load_tokenizer(checkpoint)
    pairs, _ = load_pairs(pairs_path, tokenizer, max_length)
    rows = compute(
        pairs,
        checkpoint,
        precision=precision,
        device=device,
        threads=threads,
        batch_tokens=scoring.batch_tokens,
    )
    write_rows(reference_path, rows)


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
