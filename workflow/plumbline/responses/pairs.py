"""Preference pairs from the responses to one instruction, ranked by a score.

Scores are compared after rounding to nine digits, so that 0.6 − 0.4 is a gap of 0.2.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations

from plumbline.records import Pair
from plumbline.responses.prompting import Form, instruction_prompt, response_side
from plumbline.responses.scores import Scored

Score = Callable[[Scored], float | None]


def by_instruction(rows: Iterable[Scored]) -> dict[str, list[Scored]]:
    """Scored responses in groups, instructions by id, responses by index."""
    groups: dict[str, list[Scored]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.instruction, row.index)):
        groups[row.instruction].append(row)
    return dict(groups)


class Pairing:
    """Collects pairs by source, and reasons for drops by item."""

    def __init__(self, form: Form):
        self.form = form
        self.pairs: dict[str, list[Pair]] = {}
        self.dropped: dict[str, Counter] = defaultdict(Counter)

    def extremes(self, source: str, groups: dict, score: Score, gate: float | None = None) -> None:
        """Best against worst of each group."""
        pairs = self.pairs.setdefault(source, [])
        for group in groups.values():
            ranked = self._ranked(source, group, score)
            if len(ranked) < 2:
                self.dropped[f"{source} pairs"]["fewer than two scored responses"] += 1
                continue
            best = ranked[0]
            # The first of those with the lowest score, since the same tie-breaking rule applies to
            # them.
            worst = next(row for row in ranked if row[0] == ranked[-1][0])
            self._add(pairs, source, best, worst, gate, least=0.0)

    def every(
        self,
        source: str,
        groups: dict,
        score: Score,
        *,
        least: float = 0.0,
        gate: float | None = None,
    ) -> None:
        """The higher against the lower of every two responses of a group."""
        pairs = self.pairs.setdefault(source, [])
        for group in groups.values():
            ranked = self._ranked(source, group, score)
            if len(ranked) < 2:
                self.dropped[f"{source} pairs"]["fewer than two scored responses"] += 1
            for better, worse in combinations(ranked, 2):
                self._add(pairs, source, better, worse, gate, least)

    def _ranked(self, source: str, group: list[Scored], score: Score):
        """(score, row) of the scored responses: highest score, then RM_IF, then lowest index."""
        scored = [(score(row), row) for row in group]
        lacking = sum(value is None for value, _ in scored)
        if lacking:
            self.dropped[f"{source} responses"]["no score"] += lacking
        known = [(round(value, 9), row) for value, row in scored if value is not None]
        return sorted(
            known, key=lambda entry: (-entry[0], -(entry[1].helpful or 0), entry[1].index)
        )

    def _add(self, pairs: list[Pair], source: str, better, worse, gate, least: float) -> None:
        (high, chosen), (low, rejected) = better, worse
        reason = None
        if high == low:
            reason = "tie"
        elif round(high - low, 9) < least:
            reason = "gap too small"
        elif chosen.text == rejected.text:
            reason = "identical texts"
        elif gate is not None and not _near(chosen.helpful, rejected.helpful, gate):
            reason = "helpfulness differs too much"
        if reason:
            self.dropped[f"{source} pairs"][reason] += 1
            return
        pairs.append(
            Pair(
                id=f"{chosen.instruction}/{source}#{chosen.index}>{rejected.index}",
                prompt=instruction_prompt(chosen.prompt, self.form),
                chosen=response_side(chosen.text, self.form),
                rejected=response_side(rejected.text, self.form),
                source=source,
                instruction=chosen.instruction,
                chosen_scores={"helpful": chosen.helpful, "factual": chosen.factual},
                rejected_scores={"helpful": rejected.helpful, "factual": rejected.factual},
            )
        )


def _near(one: float | None, other: float | None, gate: float) -> bool:
    """Whether they differ by at most `gate`; unknown values count as not different."""
    return None in (one, other) or round(abs(one - other), 9) <= gate
