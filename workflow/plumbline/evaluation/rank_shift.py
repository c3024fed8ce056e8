"""Token distribution shift: how often a reference model would not have chosen a tuned one's tokens.

The tuned model answers greedily; each of its tokens gets the rank it has in the reference's
distribution after the same prompt and the same preceding tokens (Lin et al. 2023, "The Unlocking Spell
on Base LLMs"; used for factuality tuning by Yuan et al. 2024, APEFT). The end of an answer is a token
too, but counted separately: a model that writes less has more ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pydantic import Field, model_validator

from plumbline.evaluation.estimation import difference, mean
from plumbline.evaluation.statistics import Estimate
from plumbline.records import Domain, Item, NonEmpty, Record

UNSHIFTED, MARGINAL, SHIFTED = CLASSES = ("unshifted", "marginal", "shifted")
POSITIONS = {"1": 1, "2-5": 5, "6-20": 20, "21-50": 50, "51+": float("inf")}  # up to this token
ALL = "All"
FACTUALITY, CHANGE = "f1", "f1_change"
TOP = 20  # how many shifted tokens are listed


class TokenShift(Record):
    """The ranks of one greedy answer's tokens; the answer's end is left out of the lists."""

    id: NonEmpty = Field(description="The prompt's id, as in measured items.")
    domain: Domain
    cluster: NonEmpty = Field(description="Prompts of one cluster are not independent.")
    tokens: list[str] = Field(description="The answer's tokens as text.")
    ranks: list[int] = Field(description="Of each token under the reference; 1 is the likeliest.")
    own_ranks: list[int] = Field(description="Of each token under the tuned model itself.")
    end_rank: int | None = Field(
        None,
        description="Rank under the reference of the token that ends the answer: the end token, or "
        "the first of a stop string; absent where the token limit cut the answer off.",
    )
    truncated: bool = Field(description="The token limit cut the answer off.")

    @model_validator(mode="after")
    def _same_length(self) -> TokenShift:
        if not len(self.tokens) == len(self.ranks) == len(self.own_ranks):
            raise ValueError("tokens, ranks and own_ranks differ in length")
        if min([*self.ranks, *self.own_ranks, self.end_rank or 1], default=1) < 1:
            raise ValueError("a rank is below 1")
        return self


def shift_class(rank: int) -> str:
    """unshifted: rank 1; marginal: 2 or 3; shifted: above 3 (Lin et al. 2023, sec. 2)."""
    return UNSHIFTED if rank == 1 else MARGINAL if rank <= 3 else SHIFTED


def position_of(place: int) -> str:
    """The range in POSITIONS of an answer's token, counted from 1."""
    return next(name for name, last in POSITIONS.items() if place <= last)


Mean = Callable[[Sequence[float], Sequence[str]], Estimate]


class Measure(NamedTuple):
    """A figure about a pair of checkpoints, as a fraction; its interval is over prompts."""

    domain: str
    position: str
    metric: str
    estimate: Estimate

    def row(self) -> dict:
        """Columns of the table, without unknown bounds."""
        place = {"domain": self.domain, "position": self.position, "metric": self.metric}
        figures = {name: getattr(self.estimate, name) for name in ("value", "low", "high", "n")}
        return place | {name: value for name, value in figures.items() if value is not None}


def shift_measures(rows: Sequence[TokenShift], confidence: float) -> list[Measure]:
    """The measures of the ranks, by domain.

    unshifted, marginal, shifted: shares of all tokens (micro; n tokens), at all positions and by
        position; with `_macro`: means of the prompts' shares (n prompts with a token).
    own_first: share of tokens that are likeliest under the tuned model itself. Whatever is missing to 1
        is due to rounding between the engine that wrote and the one that measures, and so may be an
        equal part of the shift.
    ended: share of answers that end by themselves (n prompts); end_unshifted and so on: shares of the
        classes among their ends.
    """

    def mean_of(values: Sequence[float], clusters: Sequence[str]) -> Estimate:
        return mean(values, clusters).estimate(confidence)

    return [
        Measure(domain, *measured)
        for domain in ("id", "ood")
        for measured in _measures([row for row in rows if row.domain == domain], mean_of)
    ]


def _measures(rows: Sequence[TokenShift], mean: Mean) -> Iterator[tuple[str, str, Estimate]]:
    """(position, metric, estimate) of one domain's prompts."""
    tokens = [
        (shift_class(rank), position_of(place), own_rank == 1, row.cluster)
        for row in rows
        for place, (rank, own_rank) in enumerate(
            zip(row.ranks, row.own_ranks, strict=True), start=1
        )
    ]
    for position in (ALL, *POSITIONS):
        here = [token for token in tokens if position in (ALL, token[1])]
        for name in CLASSES if here else ():
            yield position, name, mean([t[0] == name for t in here], [t[3] for t in here])
    if tokens:
        yield ALL, "own_first", mean([t[2] for t in tokens], [t[3] for t in tokens])
    said = [row for row in rows if row.ranks]
    for name in CLASSES if said else ():
        shares = [sum(shift_class(r) == name for r in row.ranks) / len(row.ranks) for row in said]
        yield ALL, f"{name}_macro", mean(shares, [row.cluster for row in said])
    if rows:
        yield ALL, "ended", mean([not r.truncated for r in rows], [r.cluster for r in rows])
    ends = [row for row in rows if row.end_rank is not None]
    for name in CLASSES if ends else ():
        of_class = [shift_class(row.end_rank) == name for row in ends]
        yield ALL, f"end_{name}", mean(of_class, [row.cluster for row in ends])


def change_measures(
    tuned: Sequence[Item], reference: Sequence[Item], confidence: float
) -> list[Measure]:
    """F1 of the claims of `tuned` minus that of `reference`, paired by prompt, by domain.

    Over the prompts for which both make claims; a domain without such prompts has none.
    """
    before = {item.id: item.metrics for item in reference}
    measures = []
    for domain in ("id", "ood"):
        both = [
            (item.metrics[FACTUALITY], before[item.id][FACTUALITY], item.cluster)
            for item in tuned
            if item.domain == domain
            and FACTUALITY in item.metrics
            and FACTUALITY in before[item.id]
        ]
        if both:
            estimated = difference(*zip(*both, strict=True))
            measures.append(Measure(domain, ALL, CHANGE, estimated.estimate(confidence)))
    return measures


def top_tokens(rows: Sequence[TokenShift], top: int = TOP) -> list[dict]:
    """The tokens that are most often shifted: token, shifted (times), n (times written)."""
    said, shifted = Counter(), Counter()
    for row in rows:
        for token, rank in zip(row.tokens, row.ranks, strict=True):
            said[token] += 1
            shifted[token] += shift_class(rank) == SHIFTED
    listed = sorted((t for t in shifted if shifted[t]), key=lambda t: (-shifted[t], said[t], t))
    return [{"token": t, "shifted": shifted[t], "n": said[t]} for t in listed[:top]]
