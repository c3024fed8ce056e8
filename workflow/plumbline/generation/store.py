"""Finished generations, kept append-only outside the declared outputs of any rule.

Snakemake deletes a rule's outputs before it runs the rule again; the store stays. An entry is
addressed by what determines it: the folder stands for the checkpoint with its tokenizer, the engine
and its precision, the key for prompt tokens and sampling. A killed job loses at most the batch it
was working on.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

from plumbline.ahead import store_folder
from plumbline.config.engines import Generation as Settings
from plumbline.generation.engine import Completion, Prompt

log = logging.getLogger("plumbline")

# Raised when what was stored can no longer be believed. 1: an engine of vLLM answered for several
# checkpoints and could keep the output head of the first, whoever was asked.
VERSION = 2


def answers_folder(root: Path, checkpoint: Path, settings: Settings) -> Path:
    """Where a checkpoint's answers are kept, below the folder of the model's results."""
    kind = f"{settings.engine}-{settings.dtype}-seed{settings.seed}"
    return store_folder(root, checkpoint, kind, VERSION)


def prompt_key(prompt: Prompt) -> str:
    """Address of a prompt's completions within its store."""
    text = json.dumps([prompt.token_ids, prompt.sampling.model_dump()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Store:
    """The finished generations of one checkpoint under one engine."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._stream = None

    def load(self, wanted: set[str]) -> dict[str, list[Completion]]:
        """Completions by key, of the wanted keys. Half-written lines are skipped and told."""
        found: dict[str, list[Completion]] = {}
        broken = 0
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open(encoding="utf-8", errors="replace") as stream:
                for line in stream:
                    try:
                        entry = json.loads(line)
                        if entry["key"] in wanted:
                            found[entry["key"]] = [Completion(**c) for c in entry["completions"]]
                    except (ValueError, KeyError, TypeError):
                        broken += 1
        if broken:
            log.warning(
                f"{self.folder}: {broken} unreadable line(s), left by a killed job or a damaged "
                f"file; what they held is generated again."
            )
        return found

    def append(self, entries: Iterable[tuple[str, list[Completion]]]) -> None:
        """Add finished completions and see them safely on disk."""
        if self._stream is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            # One file a process, so that jobs on several nodes never write to the same file.
            name = f"{time.time_ns()}-{os.uname().nodename}-{os.getpid()}.jsonl"
            self._stream = (self.folder / name).open("x", encoding="utf-8")
        for key, completions in entries:
            entry = {"key": key, "completions": [vars(completion) for completion in completions]}
            self._stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
