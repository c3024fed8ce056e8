"""How factual long answers are, from verdicts on their claims: FActScore and F1@K.

FActScore: Min et al. 2023, sec. 3 and the length penalty of the published scorer. F1@K: Wei et al.
2024 (LongFact, SAFE), sec. 5. Correct and wrong counts: Tian et al. 2023 and Lin et al. 2024.

A claim that is not supported counts against an answer whether it was refuted or could not be
verified: neither paper tells the two apart. That holds for the human labels too: the published
58 % of ChatGPT is supported claims over all claims, those marked irrelevant included. SAFE leaves
irrelevant claims out; a caller who knows them does so before counting.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median_high

from plumbline.claims.records import Claim, SplitState, Splitting, Verdict
from plumbline.files import InputError


@dataclass(frozen=True)
class Counts:
    """Verdicts on the claims of one response."""

    supported: int
    refuted: int = 0
    unverifiable: int = 0

    @property
    def wrong(self) -> int:
        """Claims that are not supported."""
        return self.refuted + self.unverifiable

    @property
    def claims(self) -> int:
        return self.supported + self.wrong


def length_penalty(claims: int, gamma: float) -> float:
    """1 above gamma claims, else exp(1 - gamma/claims); 1 throughout where gamma is 0 (off).

    The published scorer has gamma 10: ten claims give 1, five give 1/e. claims is at least 1.
    """
    return 1.0 if claims > gamma else math.exp(1 - gamma / claims)


def factscore(counts: Counts, gamma: float = 0) -> float | None:
    """Supported claims over all claims, times the length penalty; None where there is no claim."""
    if not counts.claims:
        return None
    return counts.supported / counts.claims * length_penalty(counts.claims, gamma)


def recall_at_k(counts: Counts, k: int) -> float:
    """min(1, supported/K) (LongFact's R_K): K supported claims are all a reader wants."""
    return min(1.0, counts.supported / k)


def f1_at_k(counts: Counts, k: int) -> float:
    """Harmonic mean of precision S/(S+N) and `recall_at_k`; 0 where nothing is supported."""
    if not counts.supported:
        return 0.0
    precision, recall = counts.supported / counts.claims, recall_at_k(counts, k)
    return 2 * precision * recall / (precision + recall)


def median_claims(counts: Iterable[Counts]) -> int:
    """The K of LongFact's main results: the median number of claims of responses that have any.

    The higher of two middle numbers. Models are comparable under the same K only, so take it from
    all their responses together. Raises InputError where no response has claims.
    """
    numbers = [one.claims for one in counts if one.claims]
    if not numbers:
        raise InputError("no response has claims, so there is no median number of claims for K.")
    return median_high(numbers)


@dataclass(frozen=True)
class FactScore:
    """A model's FActScore: mean over the responses that have claims, and how many those are."""

    score: float | None
    respond_ratio: float
    claims_per_response: float | None
    n: int


def mean_factscore(counts: Sequence[Counts], gamma: float = 0) -> FactScore:
    """FActScore of at least one response; those without claims lower only the respond ratio."""
    answered = [one for one in counts if one.claims]
    return FactScore(
        score=fmean(factscore(one, gamma) for one in answered) if answered else None,
        respond_ratio=len(answered) / len(counts),
        claims_per_response=fmean(one.claims for one in answered) if answered else None,
        n=len(answered),
    )


def count_verdicts(
    splittings: Iterable[Splitting], claims: Iterable[Claim], verdicts: Iterable[Verdict]
) -> dict[str, Counts]:
    """Counts by response id, a response without claims included.

    Raises InputError unless each claim has exactly one verdict and belongs to a known response.
    """
    found: dict[str, Counter] = {
        splitting.response: Counter(supported=0) for splitting in splittings
    }
    waiting: dict[str, str] = {}
    for claim in claims:
        if claim.response not in found:
            raise InputError(
                f"claim {claim.id} is of response {claim.response!r}, which was not split; claims "
                f"and splittings are of different runs. Split again."
            )
        waiting[claim.id] = claim.response
    for verdict in verdicts:
        if verdict.claim not in waiting:
            raise InputError(
                f"a verdict is on claim {verdict.claim!r}, which is not among the claims or has a "
                f"verdict already; expected one verdict a claim. Verify again."
            )
        found[waiting.pop(verdict.claim)][verdict.verdict] += 1
    if waiting:
        raise InputError(
            f"{len(waiting)} claim(s) have no verdict, the first is {next(iter(waiting))!r}. "
            f"Verify again."
        )
    return {response: Counts(**counter) for response, counter in found.items()}


def response_metrics(
    splitting: Splitting, counts: Counts, *, gamma: float, ks: Sequence[int]
) -> dict[str, float]:
    """The measures of one response, those undefined for it left out; so n differs by measure.

    Every response: `split_failed` (0/1, its lists could not be read). Unless that is 1:
    `responded` (0/1, it has claims) and for each K `recall_at_K` and `f1_at_K`, which are 0 by
    definition where a response says nothing. With claims: `factscore` (no penalty), with gamma
    above 0 also `factscore_penalised`, and `claims`, `correct`, `wrong`, `unverifiable` (a part
    of wrong), which are numbers of claims.
    """
    failed = splitting.state == SplitState.UNPARSABLE
    metrics = {"split_failed": float(failed)}
    if failed:
        return metrics
    metrics["responded"] = float(counts.claims > 0)
    for k in ks:
        metrics[f"recall_at_{k}"] = recall_at_k(counts, k)
        metrics[f"f1_at_{k}"] = f1_at_k(counts, k)
    if counts.claims:
        metrics["factscore"] = factscore(counts)
        if gamma:
            metrics["factscore_penalised"] = factscore(counts, gamma)
        metrics["claims"] = float(counts.claims)
        metrics["correct"] = float(counts.supported)
        metrics["wrong"] = float(counts.wrong)
        metrics["unverifiable"] = float(counts.unverifiable)
    return metrics
