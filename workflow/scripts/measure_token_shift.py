"""Rank the tokens of a checkpoint's greedy answers under a reference checkpoint."""

import argparse
from pathlib import Path

from plumbline import devices, program
from plumbline.config.engines import Scoring
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.records import Generation, Request


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuned", type=Path, required=True, help="the folder of who answered")
    parser.add_argument("--reference", type=Path, required=True, help="folder of a checkpoint")
    parser.add_argument("--instructions", type=Path, nargs="+", required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--dtype", required=True, help="of both models")
    parser.add_argument("--scoring", required=True, help="JSON of the scoring section")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--shift", type=Path, required=True)
    args = parser.parse_args()
    prompts = read_instructions(args.instructions)
    requests = read_unique_rows(args.requests, Request)

    devices.take(args.device)
    import torch
    from plumbline import checkpoints
    from plumbline.scoring.shift import check_tokenizers, greedy_written, measure

    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    tokenizer = checkpoints.load_tokenizer(args.tuned)
    check_tokenizers(tokenizer, checkpoints.load_tokenizer(args.reference), requests)
    rows = measure(
        greedy_written(prompts, requests, read_rows(args.generations, Generation), tokenizer),
        args.tuned,
        args.reference,
        tokenizer,
        dtype=args.dtype,
        device=args.device,
        batch_tokens=Scoring.model_validate_json(args.scoring).batch_tokens,
    )
    write_rows(args.shift, rows)
    tokens = sum(len(row.ranks) for row in rows)
    shifted = sum(rank > 3 for row in rows for rank in row.ranks)
    first = sum(rank == 1 for row in rows for rank in row.own_ranks)
    program.log.info(
        f"{len(rows):,} answers, {tokens:,} tokens, {shifted:,} shifted, {first:,} the model's own "
        f"likeliest"
    )


if __name__ == "__main__":
    program.run(main, "measure_token_shift")
