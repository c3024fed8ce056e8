"""Finished generations, which no job makes a second time.

An entry's address is what determines it: the folder stands for the checkpoint with its tokenizer, the
engine and its precision, and the key for prompt tokens and sampling. A killed job loses only what was
not finished.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from plumbline.config.engines import GenerationSettings
from plumbline.generation.engine import Completion, RenderedPrompt
from plumbline.models import checkpoints
from plumbline.models.ahead import store_folder
from plumbline.records import Sampling
from plumbline.storage.append_only import AppendOnly

# Increased when stored answers can no longer be trusted. 1: one vLLM engine answered for several
# checkpoints and could keep the output head of the first for all.
VERSION = 2


def answers_folder(root: Path, checkpoint: Path, settings: GenerationSettings) -> Path:
    """Where a checkpoint's answers are kept, below the folder of the model's results."""
    kind = f"{settings.engine}-{settings.dtype}-seed{settings.seed}"
    if settings.adapters == "served" and checkpoints.describe(checkpoint)["kind"] == "adapter":
        kind += "-served"
    return store_folder(root, checkpoint, kind, VERSION)


def prompt_key(prompt: RenderedPrompt) -> str:
    """Address of a prompt's completions within its store."""
    text = f"[{json.dumps(prompt.token_ids)}, {_as_json(prompt.sampling)}]"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache
def _as_json(sampling: Sampling) -> str:
    return json.dumps(sampling.model_dump(), sort_keys=True)


class Store(AppendOnly[list[Completion]]):
    """The finished generations of one checkpoint under one engine."""

    FIELD, MADE = "completions", "generated"

    def _value(self, held: object) -> list[Completion]:
        return [Completion(**completion) for completion in held]

    def _json(self, value: list[Completion]) -> object:
        return [vars(completion) for completion in value]
