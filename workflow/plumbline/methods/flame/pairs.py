"""Preference pairs from scored responses: DPO, DPO-fact, DPO★, its ablation, and FactTune's.

Lin et al. 2024, sec. 4.2 and the ablation of pair building; Tian et al. 2024 for `facttune`.
Scores are compared after rounding to nine digits, so that 0.6 − 0.4 is a gap of 0.2.
"""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import combinations

from plumbline.config.flame_sets import PairSet
from plumbline.files import InputError
from plumbline.methods.flame.prompting import Form, instruction_prompt, response_side
from plumbline.methods.flame.responses import dropped_rows
from plumbline.methods.flame.rewards import POINTS, Scored
from plumbline.records import Pair

GATE = 0.5  # a factual pair may differ in RM_IF by this much, no more
GAP = 0.2  # least difference in RM_fact where all pairs are taken

Score = Callable[[Scored], float | None]
log = logging.getLogger("plumbline")


def build_pairs(
    name: PairSet, rows: Iterable[Scored], fact_based: AbstractSet[str], *, form: Form
) -> tuple[dict[str, list[Pair]], list[dict]]:
    """The pairs of one set by source (helpful, factual, combined), and what was dropped.

    dpo: best against worst by RM_IF. dpo-fact: best against worst by RM_fact, of the instructions
    in `fact_based`, unless the two differ in RM_IF by more than `GATE`. dpo-star: both sources.
    dpo-star-gaps: as dpo-star, with every factual pair whose RM_fact differs by `GAP` or more,
    under the same gate. dpo-star-combined: one reward RM_IF + 5 RM_fact for fact-based
    instructions, RM_IF for the others, best against worst. facttune: every pair of responses to a
    fact-based instruction whose factual scores differ; facttune-mc: the same, where the factual
    score is confidence (`facttune.confidence`).

    A response lacking a score that is needed (FactTune: only the factual one) is out, a tie and a
    pair of the same text are dropped. Where several responses share the best or worst score, the
    one with the higher RM_IF is taken, then the one of lower index. Dropped rows count responses
    (item "… responses") and pairs, one an instruction save where all pairs are formed.
    """
    groups: dict[str, list[Scored]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.instruction, row.index)):
        groups[row.instruction].append(row)
    about_facts = {key: group for key, group in groups.items() if key in fact_based}
    others = {key: group for key, group in groups.items() if key not in fact_based}
    building = _Building(form)
    if name in ("dpo", "dpo-star", "dpo-star-gaps"):
        building.extremes("helpful", groups, _helpful)
    if name in ("dpo-fact", "dpo-star"):
        building.extremes("factual", about_facts, _factual_and_helpful, gate=GATE)
    if name == "dpo-star-gaps":
        building.every("factual", about_facts, _factual_and_helpful, least=GAP, gate=GATE)
    if name == "dpo-star-combined":
        building.extremes("helpful", others, _helpful)
        building.extremes("combined", about_facts, _combined)
    if name in ("facttune", "facttune-mc"):
        building.every("factual", about_facts, lambda row: row.factual)
    dropped = [
        row
        for item, reasons in building.dropped.items()
        for row in dropped_rows(f"{name}: {item}", reasons)
    ]
    return building.pairs, dropped


def _helpful(row: Scored) -> float | None:
    return row.helpful


def _factual_and_helpful(row: Scored) -> float | None:
    return None if row.helpful is None else row.factual


def _combined(row: Scored) -> float | None:
    if row.helpful is None or row.factual is None:
        return None
    return row.helpful + POINTS * row.factual


class _Building:
    """Pairs by source and reasons by item, as they are formed."""

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
            # The first of those that share the lowest score, for the same rule holds for them.
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
        found = [(score(row), row) for row in group]
        lacking = sum(value is None for value, _ in found)
        if lacking:
            self.dropped[f"{source} responses"]["no score"] += lacking
        known = [(round(value, 9), row) for value, row in found if value is not None]
        return sorted(known, key=lambda one: (-one[0], -(one[1].helpful or 0), one[1].index))

    def _add(self, pairs: list[Pair], source: str, better, worse, gate, least: float) -> None:
        (high, chosen), (low, rejected) = better, worse
        reason = None
        if high == low:
            reason = "tie"
        elif round(high - low, 9) < least:
            reason = "gap too small"
        elif chosen.text == rejected.text:
            reason = "identical texts"
        elif gate is not None and round(abs(chosen.helpful - rejected.helpful), 9) > gate:
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


def training_order(
    sources: Mapping[str, list[Pair]], *, batch: int, steps: int, seed: int
) -> list[Pair]:
    """`steps` x `batch` pairs such that every step draws evenly from all sources.

    Each block of `batch` pairs, one optimizer step of global batch size, holds batch / k pairs of
    each of the k sources, whatever their sizes (with a remainder that goes round them). A source
    is passed through in a shuffled order, and again in another one when it is used up; ids end in
    the number of the pass. To be trained on in this order, once. A source without a pair is left
    out with a warning, so that one unlucky draw does not end a run; its zero stands among the
    counted states. Raises InputError when no source has a pair.
    """
    names = sorted(name for name in sources if sources[name])
    empty = ", ".join(sorted(sources.keys() - set(names)))
    if not names:
        raise InputError(
            f"no {empty} pair is left to train on; see what was dropped, and give more "
            f"instructions or draw more responses."
        )
    if empty:
        log.warning(f"no {empty} pair is left; every step is of {', '.join(names)} pairs alone")
    streams = {name: _passes(sources[name], f"{seed}:{name}") for name in names}
    shuffler = random.Random(f"{seed}:blocks")
    order: list[Pair] = []
    turn = 0
    for _ in range(steps):
        share, rest = divmod(batch, len(names))
        takes = dict.fromkeys(names, share)
        for _ in range(rest):
            takes[names[turn % len(names)]] += 1
            turn += 1
        block = [next(streams[name]) for name in names for _ in range(takes[name])]
        shuffler.shuffle(block)
        order += block
    return order


def _passes(pairs: Iterable[Pair], seed: str):
    pairs = sorted(pairs, key=lambda pair: pair.id)
    number = 0
    while True:
        order = list(pairs)
        random.Random(f"{seed}:{number}").shuffle(order)
        yield from (pair.model_copy(update={"id": f"{pair.id}@{number}"}) for pair in order)
        number += 1
