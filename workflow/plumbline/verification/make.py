"""From a program's arguments to verdicts: what every program that verifies has in common."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from plumbline import devices
from plumbline.claims.records import Claim, Verdict
from plumbline.config.engines import Scoring
from plumbline.config.verification import Endpoint, Table, Verifier
from plumbline.fetching import MARKER, read_marker
from plumbline.files import InputError
from plumbline.records import Question

log = logging.getLogger("plumbline")


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
    if isinstance(settings, Table):
        from plumbline.verification.table import TableVerifier

        return TableVerifier(facts).verify(claims)
    return _judged(settings, claims, facts, args)


def _judged(settings, claims, facts, args) -> list[Verdict]:
    from plumbline.verification.judging import JudgingVerifier
    from plumbline.verification.search import PassageStore

    pages, embedder = _pages(settings, facts, args), _embedder(settings, args)
    passages = PassageStore(pages, settings.passages.words, embedder)
    log.info(f"{len(passages):,} passages of {len(pages):,} pages")
    judge = _judge(settings, args)
    verifier = JudgingVerifier(settings.kind, passages, settings.k, judge, args.store)
    try:
        return verifier.verify(claims)
    finally:
        if isinstance(settings, Endpoint):
            log.info(judge.cost())


def _pages(settings, facts, args):
    from plumbline.verification.passages import fact_passages, read_passages

    layout = settings.passages.format
    if layout == "facts":
        return fact_passages(facts)
    return read_passages(_given(args.passages, "--passages", "the file of passages"), layout)


def _embedder(settings, args):
    from plumbline.verification.search import Embedder

    if settings.embeddings is None:
        return None
    folder = _given(args.embeddings, "--embeddings", "the folder of the embedding model")
    devices.take(args.device)
    return Embedder(folder, args.device)


def _judge(settings, args):
    if isinstance(settings, Endpoint):
        from plumbline.verification import endpoint

        return endpoint.EndpointJudge(settings, endpoint.key_from(os.environ, settings.key_env))
    devices.take(args.device)
    import torch

    from plumbline.verification import logits

    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    folder = _given(args.judge, "--judge", "the folder of the checkpoint that judges")
    return logits.load(folder, Scoring.model_validate_json(args.scoring), args.device)


def _given(path: Path | None, name: str, what: str) -> Path:
    """The file or folder itself, or what the marker of a fetched source stands for."""
    if path is None:
        raise InputError(f"{name}: missing; give {what}.")
    return read_marker(path)[1] if path.name == MARKER else path
