"""What a training file of atomic and general pairs consists of, and its counts as table rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from plumbline.methods.apeft.pairs import STAGE
from plumbline.records import Pair
from plumbline.training.sets import Composition, TrainingSet, dropped_rows

# Items of the table.
ASKED, RIGHT, AVAILABLE, USED = "facts", "right answers", "pairs to be had", "pairs"


def of_mix(
    name: str,
    pairs: Sequence[Pair],
    *,
    percent: float,
    samples: int,
    built: Mapping[str, TrainingSet[Pair]],
    left: Mapping[str, Sequence[Pair]],
    knowledge: Mapping[str, Mapping[str, int]],
    filtered: Sequence[dict],
) -> Composition:
    """What one training file consists of: parts by kind (atomic, general).

    built: the pairs that could be made, by kind; left: those that the knowledge filter leaves, with its
    counts (`knowledge`) and its rows of what it dropped (`filtered`).
    """
    used = Counter(pair.source for pair in pairs)
    dropped = [row for kind in built for row in built[kind].dropped]
    for kind in built:
        unused = Counter({"not needed for the mix": len(left[kind]) - used[kind]})
        dropped += dropped_rows(f"{kind} pairs", unused, STAGE)
    right = built["atomic"].counted["right"]
    return TrainingSet(name, pairs, [*dropped, *filtered]).composition(
        {kind: used[kind] for kind in built},
        percent=percent,
        available={kind: len(left[kind]) for kind in built},
        samples=samples,
        right={str(k): right[k] for k in range(samples + 1)},
        knowledge=knowledge,
    )


def states(composition: Composition) -> Iterator[tuple[str, str, int]]:
    """(item, state, n) for the table: facts by right answers, pairs by kind, what was dropped."""
    for k, n in composition.counted["right"].items():
        yield RIGHT, k, n
    for kind, n in composition.parts.items():
        yield AVAILABLE, kind, composition.counted["available"][kind]
        yield USED, kind, n
    for row in composition.dropped:
        yield row["item"], row["reason"], row["n"]


def asked_states(questions: dict) -> Iterator[tuple[str, str, int]]:
    """(item, state, n) for the claims on their way to questions."""
    yield ASKED, "asked about", questions["kept"]
    for row in questions["dropped"]:
        yield ASKED, row["reason"], row["n"]
