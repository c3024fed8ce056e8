"""Run a task of the LM evaluation harness on a checkpoint."""

import logging
import os
from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Scoring
from plumbline.jobs import program
from plumbline.models import scoring_jobs
from plumbline.storage.files import write_rows


def main(
    *,
    checkpoint: Annotated[Path, "its folder"],
    task: Annotated[str, "its name in its file"],
    folder: Annotated[Path, "of the task files"],
    shots: int,
    limit: Annotated[int, "questions, 0: all"] = 0,
    scoring: Scoring,
    device: str,
    threads: int,
    domain: str,
    scores_path: Path,
) -> None:
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")

    from plumbline.evaluation.harness import measure, task_manager
    from plumbline.models import checkpoints, loaded

    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    task_manager(task, folder, shots)  # mistakes are told before a model is loaded
    model = loaded.model(checkpoint, scoring.dtype, device=device, threads=threads)
    items = measure(
        model,
        checkpoints.load_tokenizer(checkpoint),
        task,
        folder,
        shots=shots,
        limit=limit or None,
        batch_size=scoring.harness_batch,
        domain=domain,
    )
    write_rows(scores_path, items)
    if cut := sum(item.prompt_cut for item in items):
        program.log.warning(
            f"{task}: {cut:,} of {len(items):,} prompts are longer than the model reads and lost "
            f"their beginning, as in the harness; fewer shots make them shorter"
        )
    for metric in items[0].metrics:
        values = [item.metrics[metric] for item in items]
        mean = sum(values) / len(values)
        program.log.info(f"{task}: {metric} {mean:.3f}, {len(values):,} questions")


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
