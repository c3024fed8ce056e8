"""Score a set of choice questions: the log-likelihood of every choice under a checkpoint.

Sets and checkpoints of the same model that lie ready are scored by the same process; their own jobs
then find it done.
"""

from pathlib import Path
from typing import Annotated, Literal

from plumbline.config.engines import Scoring
from plumbline.evaluation.choices import ChoiceScore, choice_score
from plumbline.jobs import devices, program
from plumbline.models.ahead import WorkList, store_folder
from plumbline.records import ChoiceQuestion
from plumbline.storage.files import read_unique_rows, write_rows
from plumbline.storage.lists import ListedWork


def main(
    *,
    root: Annotated[Path, "folder of the model's results"],
    works: Annotated[dict[str, ListedWork], "all by name"],
    work: Annotated[str, "the one that is asked for"],
    scoring: Scoring,
    harness_compat: Literal["0", "1"],
    device: str,
    threads: int,
    code: Annotated[str, "digest of the code; scores lie ready for it"] = "",
    scores_path: Path,
) -> None:
    all_works = WorkList(
        root,
        works,
        store=lambda checkpoint: store_folder(root, checkpoint, f"scores-{scoring.dtype}"),
        settings=[code, harness_compat],
    )
    if all_works.take(work, scores_path):
        program.log.info(f"{work} was scored by another job")
        return
    read_unique_rows(all_works.input(work), ChoiceQuestion)  # mistakes are told without a device

    devices.take(device)
    import torch
    from filelock import FileLock
    from plumbline.models import checkpoints
    from plumbline.scoring.likelihood import score
    from plumbline.scoring.prompts import context_length, encode

    if device == "cpu":
        torch.set_num_threads(threads)
    loaded = {}

    def model_of(work: str):
        folder = all_works.checkpoint(work)
        if folder not in loaded:
            loaded.clear()  # one model in memory at a time
            loaded[folder] = checkpoints.load_model(folder, scoring.dtype).to(device).eval()
        all_works.check_unchanged(work)
        return loaded[folder]

    def scores_of(work: str) -> list[ChoiceScore]:
        name, prompt = Path(work).stem, all_works[work].setting
        questions = read_unique_rows(all_works.input(work), ChoiceQuestion)
        tokenizer, model = checkpoints.load_tokenizer(all_works.checkpoint(work)), model_of(work)
        items = [encode(tokenizer, asked, prompt, context_length(model)) for asked in questions]
        progress = program.Progress(len(items), f"questions of {name}")
        logprobs = score(model, items, scoring.batch_tokens, progress)
        rows = [
            choice_score(name, *scored, harness_compat == "1", letters=prompt == "letters")
            for scored in zip(questions, logprobs, strict=True)
        ]
        means = [
            f"{metric} {sum(values) / len(values):.3f}"
            for metric in ("mc1", "mc2", "acc")
            if (values := [row.metrics[metric] for row in rows if metric in row.metrics])
        ]
        program.log.info(f"{work}: {', '.join(means)}, {len(rows):,} questions")
        return rows

    def make(work: str, finished: Path, patience: float = 0) -> None:
        """Score into a file that waits; Timeout if another job is at it."""
        finished.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{finished}.lock", timeout=patience):
            if not finished.exists():
                write_rows(finished, scores_of(work))

    make(work, all_works.finished(work), patience=-1)
    all_works.take(work, scores_path)
    all_works.make_ahead(work, make)


if __name__ == "__main__":
    program.cli(main)
