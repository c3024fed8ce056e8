"""Train: examples, a parent checkpoint and a recipe become the stops of a tuning."""

import sys
from pathlib import Path
from typing import Annotated

from plumbline.config.training import Recipe, Training
from plumbline.generation.engine import check_needs
from plumbline.jobs import devices, program
from plumbline.models.suitability import Needs
from plumbline.records import Fit, Pair, Probe, Sampling
from plumbline.storage.files import InputError, read_rows, read_unique_rows, write_json, write_rows
from plumbline.training import distinct, options, processes


def main(
    *,
    root: Annotated[Path, "folder of the model's results"],
    name: Annotated[str, "the tuning; its folder is seed-<seed>/<name>"],
    seed: int,
    parent: Annotated[str, "the parent's folder below the root"],
    examples_path: Annotated[Path, "examples or pairs"],
    probes_path: Annotated[Path | None, "questions asked after every epoch"] = None,
    reference: Annotated[tuple[str, str] | None, "below the root"] = None,
    recipe: Recipe,
    save_steps: Annotated[int | None, "in place of the recipe's"] = None,
    settings: Training | None = None,
    needs: Needs | None = None,
    micro_batch: Annotated[int | None, "given to the processes it starts"] = None,
    stops: list[str],
    max_tokens: Annotated[int | None, "of an answer to a probe"] = None,
    match: Annotated[str | None, "when an answer to a probe is right"] = None,
    device: str,
    threads: int,
    code: Annotated[str, "digest of the code; other work is not reused"] = "",
    fit_path: Annotated[Path, "right answers to the probes"],
    training_path: Path,
) -> None:
    if probes_path and not (max_tokens and match):
        raise InputError("--probes needs --max-tokens and --match.")
    if save_steps:
        recipe = recipe.model_copy(update={"save_steps": save_steps})
    settings = settings or Training()
    folder = root / f"seed-{seed}" / name
    if not processes.launched():
        if recipe.trainer.rows == "pairs":
            distinct.check_file(name, read_rows(examples_path, Pair), recipe)
        options.check(recipe, settings)
        check_needs(root.name, root / parent, needs or Needs())
        devices.take(device, settings.processes)
    if settings.processes > 1 and not processes.launched():
        processes.launch_within_memory(
            settings, recipe, name, "scripts.train", sys.argv[1:], folder / "work"
        )
        return

    import torch
    from plumbline.training import finished
    from plumbline.training.run import TrainingRun, clean_up, train, train_within_memory

    if device == "cpu":
        torch.set_num_threads(max(1, threads // processes.count()))
    run = TrainingRun(
        name=name,
        examples=examples_path,
        parent=root / parent,
        recipe=recipe,
        stops=tuple(stops),
        probes=read_unique_rows(probes_path, Probe) if probes_path else [],
        sampling=Sampling(max_tokens=max_tokens or 1, stop=("\n",)),
        match=match or "squad",
        seed=seed,
        device=device,
        out=folder,
        work=folder / "work",
        reference=tuple(root / path for path in reference) if reference else None,
        micro=micro_batch,
        code=code,
        settings=settings,
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
    write_rows(fit_path, (Fit(**row) for row in kept["fits"]))
    write_json(training_path, kept["training"])
    clean_up(run)


if __name__ == "__main__":
    program.cli(main)
