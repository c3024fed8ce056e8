"""Answers requests from the store and, where answers are missing, from an engine started once."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TypeVar

from plumbline.generation.engine import Engine, RenderedPrompt, render_all
from plumbline.generation.ledger import Ledger, Served
from plumbline.generation.store import Store, prompt_key
from plumbline.jobs import effort
from plumbline.jobs.program import Progress
from plumbline.records import Request
from plumbline.storage.append_only import Place
from plumbline.storage.files import InputError, each_once, read_rows
from plumbline.texts.matching import exact_match
from plumbline.texts.thoughts import ENDING, opened_by, without_thoughts

log = logging.getLogger("plumbline")
WINDOW = 16384  # requests whose prompts are in memory, and sorted, together
Row = TypeVar("Row")


class Server:
    """Serves one checkpoint's requests.

    start: starts the engine; called at most once, and not at all when nothing is missing.
    match: how `accept` is compared with an answer, see `matching.exact_match`.
    """

    def __init__(
        self,
        store: Store,
        tokenizer,
        start: Callable[[], Engine],
        *,
        max_model_len: int,
        match: str = "squad",
    ):
        self._store, self._tokenizer, self._start = store, tokenizer, start
        self._max_model_len, self._match = max_model_len, match
        self._longest = min(max_model_len, tokenizer.model_max_length)
        # Questions asked repeatedly with different examples have prompts that end alike.
        self._opens_thought = lru_cache(maxsize=1 << 12)(self._opens)
        self._engine: Engine | None = None

    def serve(self, requests: Iterable[Request]) -> Served:
        """Generate what is missing; the result reads every answer from the store.

        requests: iterated several times, so not an iterator; only WINDOW of them, and those that the
        engine has, are in memory at once. Requests that became unnecessary are left out. Raises
        InputError when a prompt with its answer does not fit the model's length.
        """
        ledger = Ledger()
        for request, prompt in self._prompted(requests):
            self._check_length(request, prompt)
            in_thought = self._opens_thought(prompt.token_ids[-ENDING:])
            ledger.add(request, prompt_key(prompt), in_thought)
        places, waves = self._store.locate(set(ledger.keys)), ledger.waves()
        for place, wave in enumerate(waves, start=1):
            ledger.serve(wave)
            keys = [ledger.keys[i] for i in ledger.served(wave)]
            missing = set(keys) - places.keys()
            if missing:
                if self._engine is None:
                    done = f"{len(keys) - len(missing):,} done"
                    log.info(f"starting the engine for {len(missing):,} prompts, {done}")
                    self._engine = self._start()
                progress = Progress(len(missing), f"prompts, wave {place} of {len(waves)}")
                with effort.passes():
                    for key, answers in self._engine.stream(
                        self._sorted(requests, ledger, missing)
                    ):
                        places[key] = self._store.add(key, answers)
                        progress.advance(1)
            for i, accepted in ledger.settling(wave):
                if self._is_accepted(accepted, places[ledger.keys[i]], ledger.in_thought(i)):
                    ledger.settle(i)
        served = sum(1 for _ in ledger.served())
        log.info(f"{served:,} requests served, {len(ledger) - served:,} needless")
        return Served(requests, ledger, places, self._store)

    def _prompted(self, requests: Iterable[Request]) -> Iterator[tuple[Request, RenderedPrompt]]:
        for window in _windows(requests):
            for request, ids in zip(window, render_all(self._tokenizer, window), strict=True):
                yield request, RenderedPrompt(ids, request.sampling)

    def _check_length(self, request: Request, prompt: RenderedPrompt) -> None:
        length = len(prompt.token_ids) + request.sampling.max_tokens
        if length <= self._longest:
            return
        limit, remedy = f"the model reads at most {self._longest}", ""
        if self._longest == self._max_model_len:
            limit, remedy = f"generation.max_model_len is {self._longest}", "raise it, "
        raise InputError(
            f"request {request.id}: prompt and answer need {length} tokens, but {limit}; "
            f"{remedy}shorten the prompt or lower its max_tokens ({request.sampling.max_tokens})."
        )

    def _opens(self, ending: tuple[int, ...]) -> bool:
        """Whether a prompt that ends in these tokens ends within a thought."""
        return opened_by(self._tokenizer.decode(ending)) is not None

    def _sorted(
        self, requests: Iterable[Request], ledger: Ledger, missing: set[str]
    ) -> Iterator[tuple[str, RenderedPrompt]]:
        """The prompts of the missing keys, each once; their keys are then no longer missing.

        Prompts are sorted by tokens within a window, so that those with a shared beginning follow
        each other and hit the engine's prefix cache.
        """
        wanted = (
            (ledger.keys[i], one) for i, one in enumerate(requests) if ledger.keys[i] in missing
        )
        for window in _windows(wanted):
            first = dict(window)
            prompts = (prompt for _, prompt in self._prompted(first.values()))
            rows = dict(zip(first, prompts, strict=True))
            for key in sorted(rows, key=lambda key: rows[key].token_ids):
                if key in missing:  # not if an earlier window had the same prompt
                    missing.discard(key)
                    yield key, rows[key]

    def _is_accepted(self, accepted: Iterable[str], place: Place, in_thought: bool) -> bool:
        """Whether one of the answers at a place is among the accepted ones."""
        texts = [completion.text for completion in self._store.at(place)]
        return any(
            exact_match(without_thoughts(text, in_thought), accepted, self._match) for text in texts
        )


def _windows(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while window := list(islice(source, WINDOW)):
        yield window


def shard_of(request: Request, shards: int) -> int:
    """The shard that a request belongs to; the requests of a series stay together."""
    return zlib.crc32((request.series or request.id).encode()) % shards


@dataclass
class Share:
    """The requests of a file that a shard serves, read again each time they are iterated.

    InputError, the first time, if two have the same id.
    """

    path: Path
    number: int
    shards: int
    _told_apart: bool = field(default=False, init=False)

    def __iter__(self) -> Iterator[Request]:
        rows = read_rows(self.path, Request)
        for request in rows if self._told_apart else each_once(self.path, rows):
            if shard_of(request, self.shards) == self.number:
                yield request
        self._told_apart = True  # the ids need not be kept a second time
