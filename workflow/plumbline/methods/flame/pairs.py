"""Preference pairs from scored responses: DPO, DPO-fact, DPO★, its ablations, and FactTune's.

Lin et al. 2024, sec. 4.2 and their ablation of pair building; Tian et al. 2024 for `facttune`.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from plumbline.methods.flame.sets import PairSet
from plumbline.records import Pair
from plumbline.responses.pairs import Pairing, by_instruction
from plumbline.responses.prompting import Form
from plumbline.responses.scores import POINTS, Scored
from plumbline.storage.files import InputError
from plumbline.training.distinct import check
from plumbline.training.sets import dropped_rows

GATE = 0.5  # the two sides of a factual pair may differ in RM_IF by at most this
GAP = 0.2  # least difference in RM_fact if all pairs are taken


def build_pairs(
    name: PairSet,
    rows: Iterable[Scored],
    fact_based: AbstractSet[str],
    *,
    form: Form,
    judged: bool = True,
) -> tuple[dict[str, list[Pair]], list[dict]]:
    """The pairs of one set by source (helpful, factual, combined), and what was dropped.

    dpo: best against worst by RM_IF. dpo-fact: best against worst by RM_fact, for the instructions in
    `fact_based`, unless the two differ in RM_IF by more than `GATE`. dpo-star: both sources.
    dpo-star-gaps: like dpo-star, with every factual pair whose RM_fact differs by `GAP` or more,
    under the same gate. dpo-star-combined: best against worst by one reward, RM_IF + 5 RM_fact for
    fact-based instructions and RM_IF for the others. facttune: every pair of responses to a
    fact-based instruction whose factual scores differ; facttune-mc: the same, with confidence as the
    factual score (`facttune.confidence`).

    Responses without a score that is needed are left out; ties and pairs of the same text are dropped.
    The gate only applies if both responses have an RM_IF. judged: whether RM_IF is from a usable judge;
    without one, the pairs by RM_IF are left out, and those by facts remain. If several responses
    share the best or worst score, the one with the higher RM_IF is taken, then the one with the
    lower index. Dropped rows count responses (item "… responses") and pairs: one per instruction,
    unless all pairs are formed.
    """
    groups = by_instruction(rows)
    about_facts = {key: group for key, group in groups.items() if key in fact_based}
    others = {key: group for key, group in groups.items() if key not in fact_based}
    building = Pairing(form)
    by_helpfulness = groups if name in ("dpo", "dpo-star", "dpo-star-gaps") else None
    if name == "dpo-star-combined":
        by_helpfulness = others
        building.extremes("combined", about_facts, _combined)
    if by_helpfulness is not None and judged:
        building.extremes("helpful", by_helpfulness, _helpful)
    elif by_helpfulness is not None:
        building.dropped["helpful pairs"]["no usable judge"] = len(by_helpfulness)
    if name in ("dpo-fact", "dpo-star"):
        building.extremes("factual", about_facts, _factual, gate=GATE)
    if name == "dpo-star-gaps":
        building.every("factual", about_facts, _factual, least=GAP, gate=GATE)
    if name in ("facttune", "facttune-mc"):
        building.every("factual", about_facts, _factual)
    dropped = [
        row
        for item, reasons in building.dropped.items()
        for row in dropped_rows(f"{name}: {item}", reasons, "flame")
    ]
    return building.pairs, dropped


def _helpful(row: Scored) -> float | None:
    return row.helpful


def _factual(row: Scored) -> float | None:
    return row.factual


def _combined(row: Scored) -> float | None:
    if row.helpful is None or row.factual is None:
        return None
    return row.helpful + POINTS * row.factual


def check_sources(
    name: str,
    sources: Mapping[str, list[Pair]],
    dropped: Iterable[dict],
    *,
    rows: int,
    min_pairs: int,
    max_repeats: int,
) -> None:
    """InputError unless every source has enough pairs for its part of all steps.

    name: the tuning; dropped: rows of what was left out; rows: of the training file; the limits are
    those of `distinct.check`. A source is not replaced by another: that would be another method
    under the same name.
    """
    if not sources:
        raise InputError(
            f"{name}: its pairs go by helpfulness, but there is no usable judge (see "
            f"judge_calibration.csv). Name another one in flame.judge, such as reference, or remove "
            f"this training from flame.dpo."
        )
    lost: dict[str, Counter] = defaultdict(Counter)
    for row in dropped:
        lost[row["item"].rpartition(": ")[2]][row["reason"]] += row["n"]
    for source, pairs in sources.items():
        repeats = math.ceil(rows / len(sources) / max(len(pairs), 1))
        reasons = lost[f"{source} pairs"] + lost["pairs"]
        check(f"{name}, {source} pairs", len(pairs), repeats, min_pairs, max_repeats, reasons)


def training_order(
    sources: Mapping[str, list[Pair]], *, batch: int, steps: int, seed: int
) -> list[Pair]:
    """`steps` x `batch` pairs such that every step draws evenly from all sources.

    Each block of `batch` pairs, one optimizer step of global batch size, contains batch / k pairs of
    each of the k sources, whatever their sizes (sources take turns with a remainder). A source is
    used in a shuffled order, and in another order when it is used up; ids end in the number of the
    pass. The file is trained on once, in this order. Each source has a pair, see `check_sources`.
    """
    names = sorted(sources)
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
