"""From a program's arguments to verdicts: what every program that verifies has in common."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from plumbline.claims.records import Claim, Verdict
from plumbline.config.engines import Scoring
from plumbline.config.verification import Verifier
from plumbline.records import Question
from plumbline.verification.kinds import BUILDERS
from plumbline.verification.kinds.means import Means


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which verifier it is and what it works with."""
    parser.add_argument("--verifier", required=True, help="JSON of the verifier's section")
    parser.add_argument("--passages", type=Path, help="file of passages, or its source.json")
    parser.add_argument("--embeddings", type=Path, help="embedding model, or its source.json")
    parser.add_argument("--judge", type=Path, help="checkpoint folder (retrieval)")
    parser.add_argument("--scoring", default="{}", help="JSON of the scoring section (retrieval)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--store", type=Path, required=True, help="folder of finished judgements")


def verify(
    claims: Sequence[Claim], facts: Sequence[Question], args: argparse.Namespace
) -> list[Verdict]:
    """A verdict for each claim, in order, by the verifier of the arguments.

    facts: what `table` knows, and what passages of the format `facts` are made of. Raises
    InputError where a file or folder that the verifier needs was not given.
    """
    settings = TypeAdapter(Verifier).validate_json(args.verifier)
    means = Means(
        store=args.store,
        passages=args.passages,
        embeddings=args.embeddings,
        judge=args.judge,
        scoring=Scoring.model_validate_json(args.scoring),
        device=args.device,
        threads=args.threads,
    )
    return BUILDERS[settings.kind](settings, facts, means).verify(claims)
