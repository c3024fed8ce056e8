"""Decide which instructions need facts: by what the model said, else by its logits."""

import argparse
from collections import Counter
from pathlib import Path

from plumbline import devices, program
from plumbline.config.engines import Scoring
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import read_rows, read_unique_rows, write_rows
from plumbline.methods.flame.fact_based import classify
from plumbline.methods.flame.inputs import labelled
from plumbline.records import Generation, Request


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, nargs="+", required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--generations", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help="the one that was asked")
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    parser.add_argument(
        "--trust-labels", action="store_true", help="go by a source's own marks where it has them"
    )
    parser.add_argument("--scoring", required=True, help="JSON of the scoring section")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--decisions", type=Path, required=True)
    args = parser.parse_args()
    settings = Scoring.model_validate_json(args.scoring)
    requests = read_unique_rows(args.requests, Request)
    generations = list(read_rows(args.generations, Generation))
    decisions = classify(requests, generations)
    undecided = {one.id for one in decisions if one.decided_by == "undecided"}
    if undecided:
        devices.take(args.device)
        import torch
        from plumbline import checkpoints
        from plumbline.methods.flame.fact_logits import yes_and_no

        if args.device == "cpu":
            torch.set_num_threads(args.threads)
        logits = yes_and_no(
            checkpoints.load_model(args.checkpoint, settings.dtype).to(args.device).eval(),
            checkpoints.load_tokenizer(args.checkpoint),
            [request for request in requests if request.instruction in undecided],
            args.form,
            settings.batch_tokens,
        )
        decisions = classify(requests, generations, logits)
    decisions = labelled(decisions, read_instructions(args.instructions), args.trust_labels)
    write_rows(args.decisions, decisions)
    counts = Counter((one.fact_based, one.decided_by) for one in decisions)
    for (fact_based, by), n in sorted(counts.items()):
        program.log.info(f"{n:,} {'' if fact_based else 'not '}fact-based, by {by}")
    agree = [one.fact_based == one.label for one in decisions if one.label is not None]
    if agree:
        program.log.info(f"{sum(agree):,} of {len(agree):,} labelled ones decided as labelled")


if __name__ == "__main__":
    program.run(main, "decide_fact_based")
