"""Run a task of the LM evaluation harness on a checkpoint."""

import argparse
import logging
import os
from pathlib import Path

from plumbline import devices, program
from plumbline.config.engines import Scoring
from plumbline.files import write_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="its folder")
    parser.add_argument("--task", required=True, help="its name in its file")
    parser.add_argument("--folder", type=Path, required=True, help="of the task files")
    parser.add_argument("--shots", type=int, required=True)
    parser.add_argument("--limit", type=int, default=0, help="questions, 0: all")
    parser.add_argument("--scoring", required=True, help="JSON of the scoring section")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--scores", type=Path, required=True)
    args = parser.parse_args()
    settings = Scoring.model_validate_json(args.scoring)
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")

    devices.take(args.device)
    import torch
    from plumbline import checkpoints
    from plumbline.evaluation.harness import measure, task_manager

    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    task_manager(args.task, args.folder, args.shots)  # mistakes are told before a model is loaded
    model = checkpoints.load_model(args.checkpoint, settings.dtype).to(args.device).eval()
    items = measure(
        model,
        checkpoints.load_tokenizer(args.checkpoint),
        args.task,
        args.folder,
        shots=args.shots,
        limit=args.limit or None,
        batch_size=settings.harness_batch,
        domain=args.domain,
    )
    write_rows(args.scores, items)
    if cut := sum(item.prompt_cut for item in items):
        program.log.warning(
            f"{args.task}: {cut:,} of {len(items):,} prompts are longer than the model reads and lost "
            f"their beginning, as in the harness; fewer shots make them shorter"
        )
    for metric in items[0].metrics:
        values = [item.metrics[metric] for item in items]
        mean = sum(values) / len(values)
        program.log.info(f"{args.task}: {metric} {mean:.3f}, {len(values):,} questions")


if __name__ == "__main__":
    program.run(main, "run_harness")
