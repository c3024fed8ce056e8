"""How well a response follows its instruction: the reward RM_IF (Lin et al. 2024, sec. 3.2).

The paper samples a judge's reasons and scores; here, it is the expected score (`judging`), without
sampling. The other reward, RM_fact, is `scores.factuality`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plumbline.data.instructions import Instruction
from plumbline.judging.judges import Judge, Single
from plumbline.responses.drawn import DrawnResponse
from plumbline.responses.scores import Helpfulness


def helpfulness(
    instructions: Iterable[Instruction], responses: Sequence[DrawnResponse], judge: Judge | None
) -> list[Helpfulness]:
    """RM_IF of every response; without a score if there is no judge, or if it cannot decide."""
    references = {
        instruction.id: next(iter(instruction.responses), None) for instruction in instructions
    }
    singles = [
        Single(response.id, response.prompt, response.text, references.get(response.instruction))
        for response in responses
    ]
    scores = judge.rate(singles) if judge else [None] * len(singles)
    return [
        Helpfulness(id=response.id, score=score)
        for response, score in zip(responses, scores, strict=True)
    ]
