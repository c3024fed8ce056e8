"""The little that a server remembers of requests, as there may be millions of them."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator

from plumbline.generation.store import Store
from plumbline.records import Generation, Request
from plumbline.storage.append_only import Place

log = logging.getLogger("plumbline")
UNLESS_ACCEPTED, IN_THOUGHT, SERVED = 1, 2, 4


class Ledger:
    """By a request's number: the key of its prompt, its wave, and what ends its series."""

    def __init__(self):
        self.keys: list[str] = []
        self._waves, self._samples = array("L"), array("L")
        self._flags = bytearray()
        self._series, self._accept = (
            array("l"),
            array("l"),
        )  # indices of the entries below; -1: none
        self._names: dict[str, int] = {}
        self._accepted: dict[tuple[str, ...], int] = {}
        self._settled: set[int] = set()  # series with an accepted answer

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, request: Request, key: str, in_thought: bool) -> None:
        """Add the next request. key: its prompt's; in_thought: whether the prompt ends within
        a thought.
        """
        self.keys.append(key)
        self._waves.append(request.wave)
        self._samples.append(request.sampling.n)
        self._flags.append(UNLESS_ACCEPTED * request.unless_accepted + IN_THOUGHT * in_thought)
        series = accept = -1
        if request.series is not None and request.accept:
            series = self._names.setdefault(request.series, len(self._names))
            accept = self._accepted.setdefault(tuple(request.accept), len(self._accepted))
        self._series.append(series)
        self._accept.append(accept)

    def waves(self) -> list[int]:
        return sorted(set(self._waves))

    def serve(self, wave: int) -> None:
        """Mark all requests of a wave as served, except those that have become unnecessary."""
        for i, its in enumerate(self._waves):
            needless = self._flags[i] & UNLESS_ACCEPTED and self._series[i] in self._settled
            if its == wave and not needless:
                self._flags[i] |= SERVED

    def served(self, wave: int | None = None) -> Iterator[int]:
        """Numbers of the served requests, of one wave or of all."""
        for i, flags in enumerate(self._flags):
            if flags & SERVED and wave in (None, self._waves[i]):
                yield i

    def is_served(self, i: int) -> bool:
        return bool(self._flags[i] & SERVED)

    def in_thought(self, i: int) -> bool:
        return bool(self._flags[i] & IN_THOUGHT)

    def settling(self, wave: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Served requests of a wave whose answers may settle their series, with the accepted
        answers.
        """
        accepted = list(self._accepted)
        for i in self.served(wave):
            if self._accept[i] >= 0 and self._series[i] not in self._settled:
                yield i, accepted[self._accept[i]]

    def settle(self, i: int) -> None:
        """Mark the series of request i as settled, so that its waiting requests are left out."""
        self._settled.add(self._series[i])

    def answers(self) -> int:
        """How many answers all served requests have."""
        return sum(self._samples[i] for i in self.served())


class Served:
    """The generations of all served requests, in their order, read from the store one by one."""

    def __init__(
        self, requests: Iterable[Request], ledger: Ledger, places: dict[str, Place], store: Store
    ):
        self._requests, self._ledger, self._places, self._store = requests, ledger, places, store

    def __len__(self) -> int:
        return self._ledger.answers()

    def __iter__(self) -> Iterator[Generation]:
        unfinished = 0
        for i, request in enumerate(self._requests):
            if not self._ledger.is_served(i):
                continue
            completions = self._store.at(self._places[self._ledger.keys[i]])
            for index, completion in enumerate(completions):
                generation = Generation(
                    request=request.id,
                    purpose=request.purpose,
                    index=index,
                    in_thought=self._ledger.in_thought(i),
                    **vars(completion),
                )
                unfinished += generation.unfinished_thought
                yield generation
        if unfinished:
            log.warning(
                f"{unfinished:,} of {len(self):,} answers break off within a thought and count as "
                f"missing. Allow more tokens, or switch thoughts off (chat_template_kwargs)."
            )
