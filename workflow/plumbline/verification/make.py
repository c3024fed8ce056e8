"""From a program's options to verdicts, for all programs that verify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from plumbline.claims.records import Claim, Verdict
from plumbline.config.engines import Scoring
from plumbline.config.verification import Verifier
from plumbline.records import Question
from plumbline.verification.kinds import BUILDERS
from plumbline.verification.kinds.means import Means


@dataclass(kw_only=True)
class VerifierOptions:
    """The options of a program that verifies: which verifier it uses, and with what data."""

    verifier: Verifier
    passages_path: Annotated[Path | None, "file of passages, or its source.json"] = None
    embeddings_path: Annotated[Path | None, "embedding model, or its source.json"] = None
    judge: Annotated[Path | None, "checkpoint folder (retrieval)"] = None
    scoring: Annotated[Scoring, "for retrieval"] = field(default_factory=Scoring)
    device: str = "cpu"
    threads: int = 1
    store: Annotated[Path, "folder of finished judgements"]


def verify(
    claims: Sequence[Claim], facts: Sequence[Question], options: VerifierOptions
) -> list[Verdict]:
    """A verdict for each claim, in order, by the verifier of the options.

    facts: the knowledge of the `table` verifier, and the source of passages in the format `facts`.
    Raises InputError if a file or folder that the verifier needs was not given.
    """
    means = Means(
        store=options.store,
        passages=options.passages_path,
        embeddings=options.embeddings_path,
        judge=options.judge,
        scoring=options.scoring,
        device=options.device,
        threads=options.threads,
    )
    return BUILDERS[options.verifier.kind](options.verifier, facts, means).verify(claims)
