"""Write every checkpoint's results in the format of the LM evaluation harness."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Annotated

from plumbline.evaluation.harness_results import harness_results
from plumbline.jobs import program
from plumbline.storage.files import write_json


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    checkpoints: Annotated[list[dict], "the base's seed 0"],
    metrics_path: Path,
    shots: Annotated[dict[str, int], "few-shot examples by task; others have none"],
    device: str,
    out: Annotated[Path, "a folder: <model>/<checkpoint>/results_<run>.json"],
) -> None:
    rows = defaultdict(list)
    with metrics_path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            rows[row["model"], row["checkpoint"], row["seed"]].append(row)
    for checkpoint in checkpoints:
        model, name, seed = (checkpoint[key] for key in ("model", "checkpoint", "seed"))
        folder = checkpoint["folder"]
        document = harness_results(
            rows[model, name, str(seed)],
            shots,
            name=f"{model}/{name}/seed-{seed}" if seed else f"{model}/{name}",
            folder=str(root / folder),
            device=device,
        )
        write_json(out / folder / f"results_{root.name}.json", document)


if __name__ == "__main__":
    program.cli(main)
