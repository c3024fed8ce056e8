"""Train: examples, a parent checkpoint and a recipe become the stops of a tuning."""

import argparse
import sys
from pathlib import Path

from plumbline import devices, distinct, program
from plumbline.config.training import Recipe, Training
from plumbline.files import read_rows, read_unique_rows, write_json, write_rows
from plumbline.generation.engine import check_needs
from plumbline.records import Fit, Pair, Probe, Sampling
from plumbline.suitability import Needs
from plumbline.training import processes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the model's results")
    parser.add_argument(
        "--name", required=True, help="the tuning; its folder is seed-<seed>/<name>"
    )
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--parent", required=True, help="the parent's folder below the root")
    parser.add_argument("--examples", type=Path, required=True, help="examples or pairs")
    parser.add_argument("--probes", type=Path, help="questions asked after every epoch")
    parser.add_argument(
        "--reference", nargs=2, metavar=("FILE", "CHECKPOINT"), help="below the root"
    )
    parser.add_argument("--recipe", required=True, help="JSON")
    parser.add_argument("--save-steps", type=int, help="instead of the recipe's")
    parser.add_argument("--settings", default="{}", help="JSON of the training section")
    parser.add_argument("--needs", default="{}", help="JSON of what is asked of the model")
    parser.add_argument("--micro-batch", type=int, help="given to the processes it starts")
    parser.add_argument("--stops", nargs="+", required=True)
    parser.add_argument("--max-tokens", type=int, help="of an answer to a probe")
    parser.add_argument("--match", help="when an answer to a probe is right")
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--code", default="", help="digest of the code; other work is not reused")
    parser.add_argument("--fit", type=Path, required=True, help="right answers to the probes")
    parser.add_argument("--training", type=Path, required=True)
    args = parser.parse_args()
    if args.probes and not (args.max_tokens and args.match):
        parser.error("--probes needs --max-tokens and --match")

    settings = Training.model_validate_json(args.settings)
    recipe = Recipe.model_validate_json(args.recipe)
    if args.save_steps:
        recipe = recipe.model_copy(update={"save_steps": args.save_steps})
    folder = args.root / f"seed-{args.seed}" / args.name
    if not processes.launched():
        if recipe.trainer.rows == "pairs":
            distinct.check_file(args.name, read_rows(args.examples, Pair), recipe)
        needs = Needs.model_validate_json(args.needs)
        check_needs(args.root.name, args.root / args.parent, needs)
        devices.take(args.device, settings.processes)
    if settings.processes > 1 and not processes.launched():
        processes.launch_within_memory(
            settings, recipe, args.name, "scripts.train", sys.argv[1:], folder / "work"
        )
        return

    import torch
    from plumbline.training import finished
    from plumbline.training.run import Run, clean_up, train, train_within_memory

    if args.device == "cpu":
        torch.set_num_threads(max(1, args.threads // processes.count()))
    run = Run(
        name=args.name,
        examples=args.examples,
        parent=args.root / args.parent,
        recipe=recipe,
        stops=tuple(args.stops),
        probes=read_unique_rows(args.probes, Probe) if args.probes else [],
        sampling=Sampling(max_tokens=args.max_tokens or 1, stop=("\n",)),
        match=args.match or "squad",
        seed=args.seed,
        device=args.device,
        out=folder,
        work=folder / "work",
        reference=tuple(args.root / path for path in args.reference) if args.reference else None,
        micro=args.micro_batch,
        code=args.code,
    )
    kept = finished.find(run)
    if kept is None:
        if processes.launched():
            with processes.noting(run.work):
                summary = train(run)
        else:
            summary = train_within_memory(run)
    if not processes.first():
        return
    kept = kept or finished.keep(run, summary)
    write_rows(args.fit, (Fit(**row) for row in kept["fits"]))
    write_json(args.training, kept["training"])
    clean_up(run)


if __name__ == "__main__":
    program.run(main, "train")
