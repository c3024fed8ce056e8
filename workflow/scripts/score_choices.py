"""Score a set of choice questions: the log-likelihood of every choice under a checkpoint.

Sets and checkpoints of the same model that lie ready are scored by the same process; their own jobs
then find it done.
"""

import argparse
from pathlib import Path

from plumbline import devices, lists, program
from plumbline.ahead import WorkList, store_folder
from plumbline.config.engines import Scoring
from plumbline.evaluation.choices import ChoiceScore, choice_score
from plumbline.files import read_unique_rows, write_rows
from plumbline.lists import ListedWork
from plumbline.records import ChoiceQuestion


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the model's results")
    parser.add_argument("--works", type=Path, required=True, help="list of all by name")
    parser.add_argument("--work", required=True, help="the one that is asked for")
    parser.add_argument("--scoring", required=True, help="JSON of the scoring section")
    parser.add_argument("--harness-compat", type=int, choices=(0, 1), required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--code", default="", help="digest of the code; scores lie ready for it")
    parser.add_argument("--scores", type=Path, required=True)
    args = parser.parse_args()
    settings = Scoring.model_validate_json(args.scoring)
    works = WorkList(
        args.root,
        lists.read(args.works, dict[str, ListedWork]),
        store=lambda checkpoint: store_folder(args.root, checkpoint, f"scores-{settings.dtype}"),
        settings=[args.code, str(args.harness_compat)],
    )
    if works.take(args.work, args.scores):
        program.log.info(f"{args.work} was scored by another job")
        return
    read_unique_rows(works.input(args.work), ChoiceQuestion)  # mistakes are told without a device

    devices.take(args.device)
    import torch
    from filelock import FileLock
    from plumbline import checkpoints
    from plumbline.scoring.likelihood import score
    from plumbline.scoring.prompts import context_length, encode

    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    loaded = {}

    def model_of(work: str):
        folder = works.checkpoint(work)
        if folder not in loaded:
            loaded.clear()  # one model in memory at a time
            loaded[folder] = checkpoints.load_model(folder, settings.dtype).to(args.device).eval()
        works.check_unchanged(work)
        return loaded[folder]

    def scores_of(work: str) -> list[ChoiceScore]:
        name, prompt = Path(work).stem, works[work].setting
        questions = read_unique_rows(works.input(work), ChoiceQuestion)
        tokenizer, model = checkpoints.load_tokenizer(works.checkpoint(work)), model_of(work)
        items = [encode(tokenizer, asked, prompt, context_length(model)) for asked in questions]
        progress = program.Progress(len(items), f"questions of {name}")
        logprobs = score(model, items, settings.batch_tokens, progress)
        rows = [
            choice_score(name, *scored, bool(args.harness_compat), letters=prompt == "letters")
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

    make(args.work, works.finished(args.work), patience=-1)
    works.take(args.work, args.scores)
    works.make_ahead(args.work, make)


if __name__ == "__main__":
    program.run(main, "score_choices")
