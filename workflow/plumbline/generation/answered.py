"""Requests with what was generated for them, the one place where the two files meet.

Generations lie in the order of their requests, as `generation.serve` gives them, so that one request
at a time is enough: there may be millions of them.
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
    """Each request with its generations by index; none where it was left out as needless.

    InputError, at the end, where generations are not those of the requests in their order.
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
    """Each request with its generations by index; InputError where the two do not fit."""
    pairs = paired(requests, generations)
    for request, drawn in pairs:
        if len(drawn) != request.sampling.n:
            for _ in pairs:  # which says so where there are generations of other requests
                pass
            raise InputError(
                f"request {request.id}: {len(drawn)} answers of {request.sampling.n}; "
                f"generate again."
            )
        yield request, drawn
