"""How factual long answers are, from verdicts on their claims: precision, F1@K, FActScore.

A verifier may leave claims undecided; one that knows only a table of facts leaves most. Precision is
the share of the decided claims that is supported; coverage says how many are decided. F1@K (Wei et
al. 2024, LongFact and SAFE, sec. 5) combines precision with the number of supported claims: an answer
that stops early has fewer of them, so stopping cannot raise F1 unless something false would follow.
It is therefore the task's main measure.

FActScore (Min et al. 2023, sec. 3, and the length penalty of the published scorer) is the share of
all claims: an undecided claim counts like a refuted one, as do those marked irrelevant in the
published 58 % of ChatGPT. It suits verifiers that decide every claim.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plumbline.claims.records import Claim, SplitState, Splitting, Verdict
from plumbline.storage.files import DifferentRuns, InputError


@dataclass(frozen=True)
class Counts:
    """Verdicts on the claims of one response."""

    supported: int
    refuted: int = 0
    unverifiable: int = 0

    @property
    def decided(self) -> int:
        return self.supported + self.refuted

    @property
    def claims(self) -> int:
        return self.decided + self.unverifiable


def length_penalty(claims: int, gamma: float) -> float:
    """1 above gamma claims, otherwise exp(1 - gamma/claims); always 1 if gamma is 0 (off).

    The published scorer has gamma 10: ten claims give 1, five give 1/e. claims must be at least 1.
    """
    return 1.0 if claims > gamma else math.exp(1 - gamma / claims)


def factscore(counts: Counts, gamma: float = 0) -> float | None:
    """Supported claims over all claims, times the length penalty; None if there are no claims."""
    if not counts.claims:
        return None
    return counts.supported / counts.claims * length_penalty(counts.claims, gamma)


def precision(counts: Counts) -> float | None:
    """Supported claims over decided ones; None if none is decided."""
    return counts.supported / counts.decided if counts.decided else None


def recall_at_k(counts: Counts, k: int) -> float:
    """min(1, supported/K) (LongFact's R_K): a reader wants no more than K supported claims."""
    return min(1.0, counts.supported / k)


def f1_at_k(counts: Counts, k: int) -> float:
    """Harmonic mean of `precision` and `recall_at_k`; 0 if nothing is supported.

    LongFact's precision is S/(S+N), where N are the claims found not supported, without the irrelevant
    ones; we leave out the undecided ones instead.
    """
    if not counts.supported:
        return 0.0
    precise, recall = precision(counts), recall_at_k(counts, k)
    return 2 * precise * recall / (precise + recall)


def count_verdicts(
    splittings: Iterable[Splitting], claims: Iterable[Claim], verdicts: Iterable[Verdict]
) -> dict[str, Counts]:
    """Counts by response id, including responses without claims.

    Raises InputError unless each claim has exactly one verdict and belongs to a known response.
    """
    counts: dict[str, Counter] = {
        splitting.response: Counter(supported=0) for splitting in splittings
    }
    waiting: dict[str, str] = {}
    for claim in claims:
        if claim.response not in counts:
            raise DifferentRuns(
                f"claim {claim.id} is of response {claim.response!r}, which was not split",
                "Split again",
            )
        waiting[claim.id] = claim.response
    for verdict in verdicts:
        if verdict.claim not in waiting:
            raise InputError(
                f"a verdict is on claim {verdict.claim!r}, which is not among the claims or has a "
                f"verdict already; expected one verdict a claim. Verify again."
            )
        counts[waiting.pop(verdict.claim)][verdict.verdict] += 1
    if waiting:
        raise InputError(
            f"{len(waiting)} claim(s) have no verdict, the first is {next(iter(waiting))!r}. "
            f"Verify again."
        )
    return {response: Counts(**counter) for response, counter in counts.items()}


def response_metrics(
    splitting: Splitting, counts: Counts, *, gamma: float, ks: Sequence[int]
) -> dict[str, float]:
    """The measures of one response; those undefined for it are left out, so n differs by measure.

    Every response has `split_failed` (0/1: its lists of claims could not be read). Unless that is 1, it
    has `responded` (0/1: it has claims); numbers of claims: `claims`, `decided`, `supported`,
    `refuted`, `unverifiable`; for each K `recall_at_K` and `f1_at_K`, which are 0 by definition if
    nothing is supported; and `f1`, which is F1 at the first K. With claims, it has `coverage`
    (decided of all), `undecided` (0/1: none is decided), `factscore` (without penalty) and, with
    gamma above 0, `factscore_penalised`. With a decided claim, it has `precision`.
    """
    failed = splitting.state == SplitState.UNPARSABLE
    metrics = {"split_failed": float(failed)}
    if failed:
        return metrics
    metrics["responded"] = float(counts.claims > 0)
    metrics["undecided"] = float(not counts.decided)
    for name in ("claims", "decided", "supported", "refuted", "unverifiable"):
        metrics[name] = float(getattr(counts, name))
    metrics["f1"] = f1_at_k(counts, ks[0])
    for k in ks:
        metrics[f"recall_at_{k}"] = recall_at_k(counts, k)
        metrics[f"f1_at_{k}"] = f1_at_k(counts, k)
    if counts.claims:
        metrics["coverage"] = counts.decided / counts.claims
        metrics["factscore"] = factscore(counts)
        if gamma:
            metrics["factscore_penalised"] = factscore(counts, gamma)
    if counts.decided:
        metrics["precision"] = precision(counts)
    return metrics
