"""What a verifier needs besides its settings and the facts: files, a device, a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from plumbline.config.engines import Scoring
from plumbline.sources.fetching import MARKER, read_marker
from plumbline.storage.files import InputError


@dataclass(frozen=True)
class Means:
    """store: folder of finished judgements. passages, embeddings, judge: a file or folder each, or the
    marker of a fetched source; those that the kind does not use may be None.
    """

    store: Path
    passages: Path | None = None
    embeddings: Path | None = None
    judge: Path | None = None
    scoring: Scoring = field(default_factory=Scoring)
    device: str = "cpu"
    threads: int = 1

    def path(self, name: str, description: str) -> Path:
        """The file or folder of this name. InputError if it was not given."""
        path = getattr(self, name)
        if path is None:
            raise InputError(f"--{name}: missing; give {description}.")
        return read_marker(path)[1] if path.name == MARKER else path
