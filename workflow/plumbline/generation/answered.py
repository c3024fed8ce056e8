"""Requests with their generations, the one place where the two files are combined.

Generations are in the order of their requests, as `generation.serve` writes them, so only one request
at a time has to be in memory: there may be millions of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from plumbline.records import Generation, Request
from plumbline.storage.files import DifferentRuns, InputError


def paired(
    requests: Iterable[Request], generations: Iterable[Generation]
) -> Iterator[tuple[Request, list[Generation]]]:
    """Each request with its generations by index; none if it was skipped as unnecessary.

    InputError, at the end, if the generations are not those of the requests, in their order.
    """
    groups = groupby(generations, key=attrgetter("request"))
    name, given = next(groups, (None, ()))
    for request in requests:
        drawn: list[Generation] = []
        if request.id == name:
            drawn = sorted(given, key=attrgetter("index"))
            name, given = next(groups, (None, ()))
        yield request, drawn
    if name is not None:
        raise DifferentRuns(
            f"generation of request {name!r}, which is not among the requests, or not in their "
            f"order",
            "Generate again",
        )


def answered(
    requests: Iterable[Request], generations: Iterable[Generation]
) -> Iterator[tuple[Request, list[Generation]]]:
    """Each request with its generations by index; InputError if the two do not fit."""
    pairs = paired(requests, generations)
    for request, drawn in pairs:
        if len(drawn) != request.sampling.n:
            for _ in pairs:  # raises the error if there are generations of other requests
                pass
            raise InputError(
                f"request {request.id}: {len(drawn)} answers of {request.sampling.n}; "
                f"generate again."
            )
        yield request, drawn
