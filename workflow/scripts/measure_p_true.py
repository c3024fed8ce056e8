"""Ask the base of every probed question's answer whether it is true (P(True))."""

import argparse
from pathlib import Path

from plumbline import devices, program
from plumbline.config.engines import Scoring
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.slick.p_true import PTrue, p_true, proposal
from plumbline.records import Question


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--scoring", required=True, help="JSON of the scoring section")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--found", type=Path, required=True)
    args = parser.parse_args()
    settings = Scoring.model_validate_json(args.scoring)
    questions = [one for one in read_unique_rows(args.questions, Question) if one.split == "test"]

    devices.take(args.device)
    import torch
    from plumbline import checkpoints
    from plumbline.scoring.likelihood import score
    from plumbline.scoring.prompts import context_length, encode

    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    tokenizer = checkpoints.load_tokenizer(args.checkpoint)
    model = checkpoints.load_model(args.checkpoint, settings.dtype).to(args.device).eval()
    longest = context_length(model)
    items = [encode(tokenizer, proposal(one), "continuation", longest) for one in questions]
    progress = program.Progress(len(items), "proposed answers")
    found = score(model, items, settings.batch_tokens, progress)
    rows = [
        PTrue(id=question.id, p_true=p_true(*both))
        for question, both in zip(questions, found, strict=True)
    ]
    write_rows(args.found, rows)
    taken = sum(row.p_true > 0.5 for row in rows)
    program.log.info(f"{taken:,} of {len(rows):,} right answers are taken for true")


if __name__ == "__main__":
    program.run(main, "measure_p_true")
