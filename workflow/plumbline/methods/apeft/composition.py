"""What a training file of atomic and general pairs is made of, and the counts as rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from plumbline.methods.apeft.pairs import Built
from plumbline.records import Pair
from plumbline.responses.drawn import dropped_rows

COLUMNS = ["model", "seed", "set", "item", "state", "n"]
STAGE = "apeft"
# Items of the table.
ASKED, RIGHT, AVAILABLE, USED = "facts", "right answers", "pairs to be had", "pairs"


def of_mix(
    name: str,
    pairs: Sequence[Pair],
    *,
    percent: float,
    samples: int,
    built: Mapping[str, Built],
    left: Mapping[str, Sequence[Pair]],
    knowledge: Mapping[str, Mapping[str, int]],
    filtered: Sequence[dict],
) -> dict:
    """Counts of one training file.

    built: what could be made, by kind (atomic, general); left: those that the knowledge filter
    leaves, with its counts (`knowledge`) and its rows of what it dropped (`filtered`).
    """
    used = Counter(pair.source for pair in pairs)
    rows = [
        row
        for one in built.values()
        for item, reasons in one.dropped.items()
        for row in dropped_rows(item, reasons, STAGE)
    ]
    for kind in built:
        unused = Counter({"not needed for the mix": len(left[kind]) - used[kind]})
        rows += dropped_rows(f"{kind} pairs", unused, STAGE)
    right = built["atomic"].right
    return {
        "name": name,
        "kept": len(pairs),
        "percent": percent,
        "pairs": {kind: used[kind] for kind in built},
        "available": {kind: len(left[kind]) for kind in built},
        "samples": samples,
        "right": {str(k): right[k] for k in range(samples + 1)},
        "knowledge": knowledge,
        "dropped": [*rows, *filtered],
    }


def states(composition: dict) -> Iterator[tuple[str, str, int]]:
    """(item, state, n) for the table: facts by right answers, pairs by kind, what was dropped."""
    for k, n in composition["right"].items():
        yield RIGHT, k, n
    for kind in composition["pairs"]:
        yield AVAILABLE, kind, composition["available"][kind]
        yield USED, kind, composition["pairs"][kind]
    for row in composition["dropped"]:
        yield row["item"], row["reason"], row["n"]


def asked_states(questions: dict) -> Iterator[tuple[str, str, int]]:
    """(item, state, n) of what became of the claims on the way to questions."""
    yield ASKED, "asked about", questions["kept"]
    for row in questions["dropped"]:
        yield ASKED, row["reason"], row["n"]
