"""FactTune-MC: a response's confidence as its factual score, without a reference (Tian et al. 2024).

Each claim becomes a question, the base model answers it many times, and the share of its commonest
answer is the claim's confidence; a response's score is the mean over its claims. It does not matter
whether the commonest answer agrees with the claim. FactTune-FS uses the share of supported claims
(`scores.factuality`). Both train on every pair of responses with different scores
(`pairs.build_pairs`, set facttune).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import fmean

from plumbline.claims.records import Claim
from plumbline.generation.answered import answered
from plumbline.records import Generation, Request
from plumbline.responses.scores import Factuality
from plumbline.texts.matching import first_line
from plumbline.texts.text import normalise


def equivalent(first: str, second: str) -> bool:
    """Whether two normalised answers mean the same, judged by their words: the same words in any order,
    one the end of the other ("obama", "barack obama"), or one the other's plural.
    """
    one, other = first.split(), second.split()
    short, long = sorted((one, other), key=len)
    if set(one) == set(other) or (short and long[-len(short) :] == short):
        return True
    low, high = sorted((first, second), key=len)
    return bool(low) and high in (low + "s", low + "es")


def max_confidence(texts: Iterable[str]) -> float:
    """Share of the answers in the largest group of equivalent ones, in [0, 1].

    texts: sampled answers, at least one; their first lines count. Groups are formed around the
    commonest answers, so the order of samples does not matter. Empty answers are equivalent to none.
    """
    counts = Counter(normalise(first_line(text)) for text in texts)
    total = counts.total()
    bins: dict[str, int] = {}
    for answer, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if answer:
            home = next((other for other in bins if equivalent(answer, other)), answer)
            bins[home] = bins.get(home, 0) + n
    return max(bins.values(), default=0) / total


def confidence(
    claims: Iterable[Claim], requests: Iterable[Request], generations: Iterable[Generation]
) -> list[Factuality]:
    """The factual score of each response whose claims were asked about: their mean confidence.

    `claims` and `decided` of a row count the claims asked about; `supported` counts those that more
    than half of the samples answered in the same way.
    """
    of = {
        request.claim: max_confidence([generation.answer for generation in drawn])
        for request, drawn in answered(requests, generations)
    }
    by_response: dict[str, list[float]] = defaultdict(list)
    for claim in claims:
        if claim.id in of:
            by_response[claim.response].append(of[claim.id])
    return [
        Factuality(
            id=name,
            score=fmean(values),
            supported=sum(value > 0.5 for value in values),
            decided=len(values),
            claims=len(values),
        )
        for name, values in by_response.items()
    ]
