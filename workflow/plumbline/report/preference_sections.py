"""The report's section on preference training, step by step."""

from __future__ import annotations

import pandas as pd

from plumbline.report.blocks import Block, Cell, Picture, Prose, Table, named, number, percent
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import Run

SHOWN = {"loss": 3, "margin": 3, "accuracy": 3, "chosen": 2, "rejected": 2}  # digits
LAST = 4  # of so many parts of a training, the last is averaged


def curves(run: Run) -> list[Block]:
    table = run.tables.preference_curves
    words, rows = [], []
    models = list(table.model.unique())
    tunings = sorted(
        table.groupby(["model", "tuning"], sort=False),
        key=lambda group: (models.index(group[0][0]), checkpoint_order(group[0][1])),
    )
    for (model, tuning), part in tunings:
        ends, label = [], checkpoint_label(tuning)
        for seed, steps in part.groupby("seed"):
            steps = steps.sort_values("step")
            end = steps.tail(max(1, len(steps) // LAST))[list(SHOWN)].mean()
            ends.append(pd.concat([end, steps[["loss"]].iloc[0].rename({"loss": "first"})]))
            rows.append(
                [
                    Cell(model),
                    Cell(label, sort=tuning),
                    number(seed),
                    number(steps.step.max()),
                    number(ends[-1]["first"], _shown(ends[-1]["first"], SHOWN["loss"])),
                    *[number(end[name], _shown(end[name], n)) for name, n in SHOWN.items()],
                ]
            )
        mean = pd.DataFrame(ends).mean()
        clauses = [f"loss {_shown(mean['first'], 3)} at first, {_shown(mean.loss, 3)} at the end"]
        if pd.notna(mean.margin):
            clauses.append(f"margin {_shown(mean.margin, 2)}")
        if pd.notna(mean.accuracy):
            clauses.append(f"the chosen answer preferred in {percent(mean.accuracy, 0)} % of pairs")
        whose = named(table, model, label)
        words.append(f"{whose}, {part.step.max():.0f} steps: {', '.join(clauses)}.")
    if not rows:
        return []
    caption = (
        "Loss, margin and accuracy on the pairs of each step, by training. Dotted: ln 2, the sigmoid "
        "loss of a model that prefers neither answer more than its reference does."
    )
    if table.seed.nunique() > 1:
        caption += " Thick: mean over seeds; thin: single seeds."
    columns = ["model", "tuning", "seed", "steps", "loss at first", *SHOWN]
    return [
        Prose(words),
        Picture("preference_curves", caption),
        Table(
            f"The first step's loss, and means over the last 1/{LAST} of the steps; chosen, "
            "rejected: their rewards. These are training pairs: a large margin is no finding "
            "about truth.",
            columns,
            rows,
            folded=True,
        ),
    ]


def _shown(value: float, digits: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}".replace("-", "−")
