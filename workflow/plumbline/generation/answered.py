"""Requests with what was generated for them, the one place where the two files meet."""

from __future__ import annotations

from collections.abc import Iterable

from plumbline.records import Generation, Request
from plumbline.storage.files import DifferentRuns, InputError


def answered(
    requests: Iterable[Request], generations: Iterable[Generation]
) -> list[tuple[Request, list[Generation]]]:
    """Each request with its generations by index; InputError where the two do not fit."""
    drawn: dict[str, tuple[Request, list[Generation]]] = {
        request.id: (request, []) for request in requests
    }
    for generation in generations:
        if generation.request not in drawn:
            raise DifferentRuns(
                f"generation of request {generation.request!r}, which is not among the requests",
                "Generate again",
            )
        drawn[generation.request][1].append(generation)
    for request, answers in drawn.values():
        if len(answers) != request.sampling.n:
            raise InputError(
                f"request {request.id}: {len(answers)} answers of {request.sampling.n}; "
                f"generate again."
            )
        answers.sort(key=lambda generation: generation.index)
    return list(drawn.values())
