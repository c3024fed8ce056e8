"""Log-probabilities of a training file's pairs under a checkpoint, for a fixed reference."""

import argparse
from pathlib import Path

from plumbline import checkpoints, devices, program
from plumbline.config.engines import Scoring
from plumbline.files import write_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--precision", required=True, help="of the training")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--scoring", required=True, help="JSON of the scoring section")
    parser.add_argument("--reference", type=Path, required=True)
    args = parser.parse_args()

    devices.take(args.device)
    import torch
    from plumbline.training.data import load_pairs
    from plumbline.training.reference import compute

    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    tokenizer = checkpoints.load_tokenizer(args.checkpoint)
    pairs, _ = load_pairs(args.pairs, tokenizer, args.max_length)
    rows = compute(
        pairs,
        args.checkpoint,
        precision=args.precision,
        device=args.device,
        batch_tokens=Scoring.model_validate_json(args.scoring).batch_tokens,
    )
    write_rows(args.reference, rows)


if __name__ == "__main__":
    program.run(main, "score_reference")
