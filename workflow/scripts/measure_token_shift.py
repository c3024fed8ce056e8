"""Rank the tokens of a checkpoint's greedy answers under a reference checkpoint."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Scoring
from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.models import scoring_jobs
from plumbline.records import Generation, Request
from plumbline.storage.files import read_rows, read_unique_rows, write_rows


def main(
    *,
    tuned: Annotated[Path, "the folder of the checkpoint that answered"],
    reference: Annotated[Path, "folder of a checkpoint"],
    instructions_paths: list[Path],
    requests_path: Path,
    generations_path: Path,
    dtype: Annotated[str, "of both models"],
    scoring: Scoring,
    device: str,
    threads: int,
    shift_path: Path,
) -> None:
    prompts = read_instructions(instructions_paths)
    requests = read_unique_rows(requests_path, Request)

    from plumbline.evaluation.answer_ranks import check_tokenizers, greedy_written, measure
    from plumbline.models import checkpoints

    tokenizer = checkpoints.load_tokenizer(tuned)
    check_tokenizers(tokenizer, checkpoints.load_tokenizer(reference), requests)
    rows = measure(
        greedy_written(prompts, requests, read_rows(generations_path, Generation), tokenizer),
        tuned,
        reference,
        tokenizer,
        dtype=dtype,
        device=device,
        threads=threads,
        batch_tokens=scoring.batch_tokens,
    )
    write_rows(shift_path, rows)
    tokens = sum(len(row.ranks) for row in rows)
    shifted = sum(rank > 3 for row in rows for rank in row.ranks)
    first = sum(rank == 1 for row in rows for rank in row.own_ranks)
    program.log.info(
        f"{len(rows):,} answers, {tokens:,} tokens, {shifted:,} shifted, {first:,} the model's own "
        f"likeliest"
    )


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
