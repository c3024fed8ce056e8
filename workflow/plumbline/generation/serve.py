"""Serves requests from the store and, for what is missing, from an engine started once."""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from plumbline.generation.engine import Completion, Engine, RenderedPrompt, render
from plumbline.generation.store import Store, prompt_key
from plumbline.jobs import effort
from plumbline.jobs.program import Progress
from plumbline.records import Generation, Request
from plumbline.storage.files import InputError
from plumbline.texts.matching import exact_match
from plumbline.texts.thoughts import ENDING, opened_by

log = logging.getLogger("plumbline")


@dataclass
class _Item:
    request: Request
    prompt: RenderedPrompt
    key: str
    in_thought: bool


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
        save_every: int,
        max_model_len: int,
        match: str = "squad",
    ):
        self._store, self._tokenizer, self._start = store, tokenizer, start
        self._save_every, self._max_model_len, self._match = save_every, max_model_len, match
        self._longest = min(max_model_len, tokenizer.model_max_length)
        self._engine: Engine | None = None

    def serve(self, requests: Iterable[Request]) -> list[Generation]:
        """Generations in the order of the requests; requests that became needless are left out.

        Raises InputError when a prompt with its answer does not fit the model's length.
        """
        items = [self._item(request) for request in requests]
        done = self._store.load({item.key for item in items})
        waves: dict[int, list[_Item]] = defaultdict(list)
        for item in items:
            waves[item.request.wave].append(item)
        accepted: set[str] = set()
        served: set[str] = set()
        for number in sorted(waves):
            due = [item for item in waves[number] if not self._needless(item.request, accepted)]
            self._generate(due, done, f"wave {number + 1} of {len(waves)}")
            served |= {item.request.id for item in due}
            for item in due:
                if (
                    item.request.accept
                    and item.request.series not in accepted
                    and any(
                        exact_match(one.answer, item.request.accept, self._match)
                        for one in _generations(item, done)
                    )
                ):
                    accepted.add(item.request.series)
        log.info(f"{len(served):,} requests served, {len(items) - len(served):,} needless")
        found = [
            one for item in items if item.request.id in served for one in _generations(item, done)
        ]
        if unfinished := sum(one.unfinished_thought for one in found):
            log.warning(
                f"{unfinished:,} of {len(found):,} answers break off within a thought and count as "
                f"none. Allow more tokens, or switch thoughts off (chat_template_kwargs of the model)."
            )
        return found

    @staticmethod
    def _needless(request: Request, accepted: set[str]) -> bool:
        return request.unless_accepted and request.series in accepted

    def _item(self, request: Request) -> _Item:
        prompt = RenderedPrompt(render(self._tokenizer, request), request.sampling)
        length = len(prompt.token_ids) + request.sampling.max_tokens
        if length > self._longest:
            limit, remedy = f"the model reads at most {self._longest}", ""
            if self._longest == self._max_model_len:
                limit, remedy = f"generation.max_model_len is {self._longest}", "raise it, "
            raise InputError(
                f"request {request.id}: prompt and answer need {length} tokens, but {limit}; "
                f"{remedy}shorten the prompt or lower its max_tokens ({request.sampling.max_tokens})."
            )
        ending = self._tokenizer.decode(prompt.token_ids[-ENDING:])
        return _Item(request, prompt, prompt_key(prompt), opened_by(ending) is not None)

    def _generate(self, due: list[_Item], done: dict[str, list[Completion]], name: str) -> None:
        # Sorted by tokens, prompts with a shared beginning follow each other and meet the
        # engine's prefix cache.
        missing = {item.key: item.prompt for item in due if item.key not in done}
        order = sorted(missing, key=lambda key: missing[key].token_ids)
        if not order:
            return
        if self._engine is None:
            log.info(
                f"starting the engine for {len(order):,} prompts, {len(due) - len(order):,} done"
            )
            self._engine = self._start()
        progress = Progress(len(order), f"prompts, {name}")
        for start in range(0, len(order), self._save_every):
            keys = order[start : start + self._save_every]
            with effort.passes():
                answers = self._engine.complete([missing[key] for key in keys])
            self._store.append(zip(keys, answers, strict=True))
            done.update(zip(keys, answers, strict=True))
            progress.advance(len(keys))


def _generations(item: _Item, done: dict[str, list[Completion]]) -> list[Generation]:
    return [
        Generation(
            request=item.request.id,
            purpose=item.request.purpose,
            index=index,
            in_thought=item.in_thought,
            **vars(completion),
        )
        for index, completion in enumerate(done[item.key])
    ]


def shard_of(request: Request, shards: int) -> int:
    """The shard a request belongs to; the requests of a series stay together."""
    return zlib.crc32((request.series or request.id).encode()) % shards
