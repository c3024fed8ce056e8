"""Score a set of choice questions: the log-likelihood of every choice under a checkpoint."""

from pathlib import Path
from typing import Annotated, Literal

from plumbline.config.engines import Scoring
from plumbline.evaluation.choice_scores import choice_score
from plumbline.jobs import program
from plumbline.models import scoring_jobs
from plumbline.records import ChoiceQuestion
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    questions_path: Path,
    name: Annotated[str, "of the set"],
    prompt: Annotated[str, "how it is asked"],
    checkpoint: Path,
    scoring: Scoring,
    harness_compat: Literal["0", "1"],
    device: str,
    threads: int,
    scores_path: Path,
) -> None:
    questions = read_unique_rows(questions_path, ChoiceQuestion)

    from plumbline.models import checkpoints, loaded
    from plumbline.scoring.likelihood import score
    from plumbline.scoring.prompts import context_length, encode

    tokenizer = checkpoints.load_tokenizer(checkpoint)
    model = loaded.model(checkpoint, scoring.dtype, device=device, threads=threads)
    items = [encode(tokenizer, asked, prompt, context_length(model)) for asked in questions]
    progress = program.Progress(len(items), f"questions of {name}")
    logprobs = score(model, items, scoring.batch_tokens, progress)
    rows = [
        choice_score(name, *scored, harness_compat == "1", letters=prompt == "letters")
        for scored in zip(questions, logprobs, strict=True)
    ]
    write_rows(scores_path, rows)
    means = [
        f"{metric} {sum(values) / len(values):.3f}"
        for metric in ("mc1", "mc2", "acc")
        if (values := [row.metrics[metric] for row in rows if metric in row.metrics])
    ]
    program.log.info(f"{checkpoint}, {name}: {', '.join(means)}, {len(rows):,} questions")


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
