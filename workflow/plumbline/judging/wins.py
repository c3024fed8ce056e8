"""Whose response a judge prefers, instruction by instruction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from plumbline.data.instructions import Instruction
from plumbline.judging.judges import Duel, Judge

EQUAL = (0.5, 0.5)


def preferences(
    instructions: Iterable[Instruction],
    first: Mapping[str, str],
    second: Mapping[str, str],
    load: Callable[[], Judge],
) -> dict[str, tuple[float, float]]:
    """By instruction id, the probability that the first response is better, when it is shown first
    and when it is shown second; absent if the judge cannot decide.

    first, second: response texts by instruction id. Equal responses are not judged; `load` is called
    only if others are left.
    """
    instructions = list(instructions)
    pairs = {
        instruction.id: (first[instruction.id].strip(), second[instruction.id].strip())
        for instruction in instructions
    }
    duels = [
        Duel(
            instruction.id,
            instruction.instruction,
            *pairs[instruction.id],
            reference=next(iter(instruction.responses), None),
        )
        for instruction in instructions
        if pairs[instruction.id][0] != pairs[instruction.id][1]
    ]
    preferred = {name: EQUAL for name, (mine, theirs) in pairs.items() if mine == theirs}
    if duels:
        judged = zip(duels, load().prefer(duels), strict=True)
        preferred |= {duel.id: both for duel, both in judged if both is not None}
    return preferred
