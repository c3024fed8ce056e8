"""Score choice questions: the log-likelihood of every choice under a checkpoint."""

import argparse
from pathlib import Path

from plumbline import devices, program
from plumbline.config.choices import ChoiceSet
from plumbline.config.engines import Scoring
from plumbline.evaluation.choices import choice_score
from plumbline.files import read_unique_rows, write_rows
from plumbline.records import ChoiceQuestion
from pydantic import TypeAdapter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="its folder")
    parser.add_argument("--sets", required=True, help="JSON: a list of evaluation.choices")
    parser.add_argument(
        "--choices", type=Path, nargs="+", required=True, help="a file for each of the sets"
    )
    parser.add_argument("--scoring", required=True, help="JSON of the scoring section")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--harness-compat", type=int, choices=(0, 1), required=True)
    parser.add_argument("--scores", type=Path, required=True)
    args = parser.parse_args()
    sets = TypeAdapter(list[ChoiceSet]).validate_json(args.sets)
    settings = Scoring.model_validate_json(args.scoring)
    questions = [read_unique_rows(path, ChoiceQuestion) for path in args.choices]

    devices.take(args.device)
    import torch
    from plumbline import checkpoints
    from plumbline.scoring.likelihood import score
    from plumbline.scoring.prompts import context_length, encode

    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    tokenizer = checkpoints.load_tokenizer(args.checkpoint)
    model = checkpoints.load_model(args.checkpoint, settings.dtype).to(args.device).eval()
    longest, rows = context_length(model), []
    for choice_set, asked in zip(sets, questions, strict=True):
        items = [encode(tokenizer, one, choice_set.prompt, longest) for one in asked]
        progress = program.Progress(len(items), f"questions of {choice_set.name}")
        found = score(model, items, settings.batch_tokens, progress)
        scored = [
            choice_score(
                choice_set.name,
                question,
                logprobs,
                bool(args.harness_compat),
                letters=choice_set.prompt == "letters",
            )
            for question, logprobs in zip(asked, found, strict=True)
        ]
        means = [
            f"{metric} {sum(values) / len(values):.3f}"
            for metric in ("mc1", "mc2", "acc")
            if (values := [row.metrics[metric] for row in scored if metric in row.metrics])
        ]
        program.log.info(f"{choice_set.name}: {', '.join(means)}, {len(scored):,} questions")
        rows += scored
    write_rows(args.scores, rows)


if __name__ == "__main__":
    program.run(main, "score_choices")
