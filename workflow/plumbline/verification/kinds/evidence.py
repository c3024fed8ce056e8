"""Passages to judge by, for all kinds that retrieve."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from plumbline.config.verification import WithEvidence
from plumbline.jobs import devices
from plumbline.records import Question
from plumbline.verification.kinds.means import Means

log = logging.getLogger("plumbline")


def passage_store(settings: WithEvidence, facts: Sequence[Question], means: Means):
    """The passages of the settings, indexed; facts: the source of passages of the format `facts`."""
    from plumbline.verification.passages import fact_passages, read_passages
    from plumbline.verification.search import Embedder, PassageStore

    if settings.passages.format == "facts":
        pages = fact_passages(facts)
    else:
        file = means.path("passages", "the file of passages")
        pages = read_passages(file, settings.passages.format)
    embedder = None
    if settings.embeddings is not None:
        folder = means.path("embeddings", "the folder of the embedding model")
        devices.take(means.device)
        embedder = Embedder(folder, means.device)
    passages = PassageStore(pages, settings.passages.words, embedder)
    log.info(f"{len(passages):,} passages of {len(pages):,} pages")
    return passages
