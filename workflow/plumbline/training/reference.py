"""Log-probabilities of both sides of every pair under a named checkpoint, stored in a file.

They depend only on the pairs, the checkpoint, the chat template and the length limit, so runs with
different losses, values of β and seeds share one file.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict, Field

from plumbline.models import checkpoints, loaded
from plumbline.records import NonEmpty, Record
from plumbline.storage.files import InputError, read_unique_rows
from plumbline.training.data import TokenPair


class Reference(Record):
    """log pi_ref(completion | prompt), summed over the completion's tokens, for one pair."""

    model_config = ConfigDict(allow_inf_nan=False)

    id: NonEmpty
    pair: str = Field(description="Digest of the pair's tokens.")
    weights: str = Field(description="Digest of the reference checkpoint's weights.")
    chosen: float
    rejected: float


def compute(
    pairs: list[TokenPair],
    checkpoint: Path,
    *,
    precision: str,
    device: str,
    threads: int,
    batch_tokens: int,
) -> list[Reference]:
    """The pairs' reference rows, in order; precision: the training's (`Recipe`)."""
    import torch

    from plumbline.jobs.program import Progress
    from plumbline.scoring.likelihood import TokenizedItem, score

    weights = checkpoints.describe(checkpoint)["weights_sha256"]
    mixed = precision == "mixed"
    dtype = "float32" if mixed else precision
    model = loaded.model(checkpoint, dtype, device=device, threads=threads, load="load_parent")
    items = [
        TokenizedItem(tuple(pair.prompt_ids), (tuple(pair.chosen_ids), tuple(pair.rejected_ids)))
        for pair in pairs
    ]
    progress = Progress(len(pairs), "reference pairs")
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=mixed):
        sums = score(model, items, batch_tokens, progress, "the training's dtype")
    return [
        Reference(id=pair.id, pair=pair.digest(), weights=weights, chosen=chosen, rejected=rejected)
        for pair, (chosen, rejected) in zip(pairs, sums, strict=True)
    ]


def load(path: Path, checkpoint: Path, pairs: list[TokenPair]) -> list[Reference]:
    """The rows of `pairs`, in their order. InputError if the file belongs to other pairs."""
    rows = {row.id: row for row in read_unique_rows(path, Reference)}
    weights = checkpoints.describe(checkpoint)["weights_sha256"]
    for pair in pairs:
        row = rows.get(pair.id)
        if row is None or row.pair != pair.digest():
            raise InputError(
                f"{path}: pair {pair.id} is {'missing' if row is None else 'a different one there'}; "
                f"the file was made for other pairs, another chat template or another length limit. "
                f"Delete it and run again."
            )
        if row.weights != weights:
            raise InputError(
                f"{path}: computed with weights {row.weights[:12]}, but {checkpoint} has "
                f"{weights[:12]}. Delete it and run again."
            )
    return [rows[pair.id] for pair in pairs]
