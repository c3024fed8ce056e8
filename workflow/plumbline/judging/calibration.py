"""The test of a judge: does it prefer a person's answer to one that is known to be worse?"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from plumbline.data.instructions import Instruction
from plumbline.data.select import order
from plumbline.evaluation.statistics import share
from plumbline.judging.judges import Duel, Judge, Single
from plumbline.judging.records import USABLE, Calibration, Kind, Tested, Use
from plumbline.records import NonEmpty, Record
from plumbline.storage.files import InputError

INSTRUCTIONS = 20  # with three pairs each; by chance, a judge passes less than once in ten thousand
SEED = 1


class KnownPair(Record):
    """A person's answer to an instruction and a worse one."""

    id: NonEmpty
    kind: Kind
    instruction: NonEmpty
    better: NonEmpty
    worse: NonEmpty


def known_pairs(
    instructions: Iterable[Instruction], n: int = INSTRUCTIONS, seed: int = SEED
) -> list[KnownPair]:
    """Three pairs for each of `n` instructions that people answered: their answer against an answer
    to another of these, against its own first third, and against its own words in another order.

    InputError when fewer than two instructions have an answer.
    """
    answered = [instruction for instruction in instructions if instruction.responses]
    drawn = sorted(answered, key=lambda instruction: order(instruction.id, seed))[:n]
    if len(drawn) < 2:
        raise InputError("a judge is tested on human answers, but there are fewer than two.")
    pairs = []
    for instruction, other in zip(drawn, [*drawn[1:], drawn[0]], strict=True):
        better = instruction.responses[0]
        words = better.split()
        shuffled = list(words)
        random.Random(f"{seed}:{instruction.id}").shuffle(shuffled)
        worse: dict[Kind, str] = {
            "answer to another question": other.responses[0],
            "truncated": " ".join(words[: -(-len(words) // 3)]),
            "words shuffled": " ".join(shuffled),
        }
        pairs += [
            KnownPair(
                id=f"{instruction.id}/{kind}",
                kind=kind,
                instruction=instruction.instruction,
                better=better,
                worse=text,
            )
            for kind, text in worse.items()
        ]
    return pairs


def calibrate(judge: Judge, name: str, use: Use, pairs: Sequence[KnownPair]) -> Calibration:
    """How often the judge is right, by kind and over all: it prefers the better answer over both orders
    (win_rate), or gives it more points (helpfulness).
    """
    verdicts = (_preferences if use == "win_rate" else _ratings)(judge, pairs)
    kinds = ["All", *dict.fromkeys(pair.kind for pair in pairs)]
    tested = [
        _tested(kind, [v for v, p in zip(verdicts, pairs, strict=True) if kind in ("All", p.kind)])
        for kind in kinds
    ]
    return Calibration(judge=name, use=use, usable=tested[0].right >= USABLE, kinds=tested)


def _preferences(judge: Judge, pairs: Sequence[KnownPair]) -> list[float]:
    preferences = judge.prefer([Duel(p.id, p.instruction, p.better, p.worse) for p in pairs])
    return [_right(sum(both) - 1) for both in preferences]


def _ratings(judge: Judge, pairs: Sequence[KnownPair]) -> list[float]:
    better = {p.instruction: Single(p.id, p.instruction, p.better) for p in pairs}
    worse = [Single(p.id, p.instruction, p.worse) for p in pairs]
    ratings = judge.rate([*better.values(), *worse])
    high = dict(zip(better, ratings[: len(better)], strict=True))
    return [
        _right(high[p.instruction] - low)
        for p, low in zip(pairs, ratings[len(better) :], strict=True)
    ]


def _right(margin: float) -> float:
    margin = round(margin, 9)
    return (1 + (margin > 0) - (margin < 0)) / 2


def _tested(kind: str, verdicts: Sequence[float]) -> Tested:
    right = share(sum(verdicts), len(verdicts))
    return Tested(kind=kind, right=right.value, low=right.low, high=right.high, n=right.n)
