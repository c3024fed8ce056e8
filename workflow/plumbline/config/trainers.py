"""The trainers that a recipe can name and the losses on pairs, each a row of a table.

To add a trainer of TRL's, add a row to `TRAINERS` and the function of `training.trainers` that the
row names. To add a paired loss of TRL's DPO trainer, add a row to `PAIRED_LOSSES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rows = Literal["examples", "pairs"]


@dataclass(frozen=True)
class Trainer:
    """What other modules need to know about a trainer.

    name: as in recipes. rows: what its training file contains, which is also the file's name. build:
    the function of `training.trainers` that sets it up. reference: whether its loss compares the
    model with a reference. options: those keys of a recipe that this trainer reads and some others
    do not; `reference` among them means that it can use stored log-probabilities. answers: how many
    answers one row of a batch has. fewest: how many rows a forward pass needs at least.
    """

    name: str
    description: str
    rows: Rows
    build: str
    reference: bool = False
    options: frozenset[str] = frozenset()
    answers: int = 1
    fewest: int = 1


@dataclass(frozen=True)
class Loss:
    """A loss on pairs, by the name that TRL's DPO trainer gives it.

    smooths: whether it reads label_smoothing. smoothing_needed: its paper's value, for a loss that is
    undefined without smoothing. starts_at_ln_2: whether it is ln 2 while the policy equals the
    reference.
    """

    name: str
    smooths: bool = False
    smoothing_needed: float | None = None
    starts_at_ln_2: bool = False


def _by_name(*rows):
    return {row.name: row for row in rows}


TRAINERS: dict[str, Trainer] = _by_name(
    Trainer("sft", "supervised", rows="examples", build="sft_trainer"),
    Trainer(
        "dpo",
        "on pairs, with any of the paired losses",
        rows="pairs",
        build="dpo_trainer",
        reference=True,
        options=frozenset({"max_steps", "loss", "reference", "label_smoothing", "order"}),
        answers=2,
    ),
    Trainer(
        "kto",
        "on the same pairs, split into single answers",
        rows="pairs",
        build="kto_trainer",
        reference=True,
        options=frozenset({"max_steps"}),
        fewest=2,  # it compares the answers of a forward pass with each other
    ),
)

PAIRED_LOSSES: dict[str, Loss] = _by_name(
    Loss("sigmoid", starts_at_ln_2=True),
    Loss("sigmoid_norm"),
    Loss("hinge"),
    Loss("ipo"),
    Loss("exo_pair", smooths=True, smoothing_needed=0.001),
    Loss("nca_pair"),
    Loss("robust", smooths=True),
    Loss("bco_pair"),
    Loss("sppo_hard"),
    Loss("aot", smooths=True),
    Loss("aot_unpaired", smooths=True),
    Loss("apo_zero"),
    Loss("apo_down"),
    Loss("discopop"),
    Loss("sft"),
)


def training_on(rows: Rows) -> tuple[str, ...]:
    """Names of the trainers whose training files contain these rows."""
    return tuple(name for name, trainer in TRAINERS.items() if trainer.rows == rows)


def reading(option: str) -> tuple[str, ...]:
    """Names of the trainers that read this key of a recipe."""
    return tuple(name for name, trainer in TRAINERS.items() if option in trainer.options)
