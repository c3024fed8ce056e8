"""Write the cards of all tuned checkpoints and of their training files."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.models.checkpoints import describe
from plumbline.models.publishing import CARD
from plumbline.names import BASE, parts
from plumbline.report.cards import checkpoint_card, data_card
from plumbline.storage.files import atomic_write, read_json
from plumbline.training.sets import Composition


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    cards: Annotated[
        list[dict], "model, checkpoint, and paths below the root: folder, tuning, data"
    ],
    comparisons_path: Path,
    confidence: Annotated[float, "of the intervals"],
) -> None:
    rows = defaultdict(list)
    with comparisons_path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["against"] == BASE:
                rows[row["model"], row["checkpoint"]].append(row)
    for card in cards:
        folder, data = root / card["folder"], root / card["data"]
        model, name = card["model"], card["checkpoint"]
        composition = Composition.read(data.parent / "composition.json")
        text = checkpoint_card(
            name,
            folder,
            base=describe(root / model / BASE),
            marker=describe(folder),
            training=read_json(root / card["tuning"] / "training.json"),
            composition=composition,
            data=data.name,
            rows=rows[model, name],
            confidence=confidence,
        )
        about = data_card(
            composition.name,
            data.name,
            model=model,
            method=parts(name)[0],
            composition=composition,
            pairs=data.name == "pairs.jsonl",
        )
        for path, content in ((folder / CARD, text), (data.parent / CARD, about)):
            with atomic_write(path) as stream:
                stream.write(content)


if __name__ == "__main__":
    program.cli(main)
