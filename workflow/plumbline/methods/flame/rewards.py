"""How well a response follows its instruction: the reward RM_IF (Lin et al. 2024, sec. 3.2).

The paper samples a judge's reasons and scores; here it is the expected score (`judging`), without
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
    """RM_IF of every response; without a score where there is no judge, or it cannot say."""
    references = {one.id: next(iter(one.responses), None) for one in instructions}
    singles = [
        Single(one.id, one.prompt, one.text, references.get(one.instruction)) for one in responses
    ]
    scores = judge.rate(singles) if judge else [None] * len(singles)
    return [
        Helpfulness(id=one.id, score=score) for one, score in zip(responses, scores, strict=True)
    ]
