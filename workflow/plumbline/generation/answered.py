"""Requests with what was generated for them, the one place where the two files meet."""

from __future__ import annotations

from collections.abc import Iterable

from plumbline.records import Generation, Request
from plumbline.storage.files import InputError


def answered(
    requests: Iterable[Request], generations: Iterable[Generation]
) -> list[tuple[Request, list[Generation]]]:
    """Each request with its generations by index; InputError where the two do not fit."""
    drawn: dict[str, tuple[Request, list[Generation]]] = {
        request.id: (request, []) for request in requests
    }
    for generation in generations:
        if generation.request not in drawn:
            raise InputError(
                f"generation of request {generation.request!r}, which is not among the requests; "
                f"they are of different runs. Generate again."
            )
        drawn[generation.request][1].append(generation)
    for request, found in drawn.values():
        if len(found) != request.sampling.n:
            raise InputError(
                f"request {request.id}: {len(found)} answers of {request.sampling.n}; "
                f"generate again."
            )
        found.sort(key=lambda generation: generation.index)
    return list(drawn.values())
