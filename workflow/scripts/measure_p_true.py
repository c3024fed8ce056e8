"""Ask the base about every probed question's answer whether it is true (P(True))."""

from pathlib import Path

from plumbline.config.engines import Scoring
from plumbline.jobs import program
from plumbline.methods.slick.p_true import PTrue, p_true, proposal
from plumbline.models import scoring_jobs
from plumbline.records import Question
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    questions_path: Path,
    checkpoint: Path,
    scoring: Scoring,
    device: str,
    threads: int,
    found_path: Path,
) -> None:
    questions = [
        question
        for question in read_unique_rows(questions_path, Question)
        if question.split == "test"
    ]

    from plumbline.models import checkpoints, loaded
    from plumbline.scoring.likelihood import score
    from plumbline.scoring.prompts import context_length, encode

    tokenizer = checkpoints.load_tokenizer(checkpoint)
    model = loaded.model(checkpoint, scoring.dtype, device=device, threads=threads)
    longest = context_length(model)
    items = [
        encode(tokenizer, proposal(question), "continuation", longest) for question in questions
    ]
    progress = program.Progress(len(items), "proposed answers")
    scores = score(model, items, scoring.batch_tokens, progress)
    rows = [
        PTrue(id=question.id, p_true=p_true(*both))
        for question, both in zip(questions, scores, strict=True)
    ]
    write_rows(found_path, rows)
    taken = sum(row.p_true > 0.5 for row in rows)
    program.log.info(f"{taken:,} of {len(rows):,} right answers are taken for true")


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
