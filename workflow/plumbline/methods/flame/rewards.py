"""How well a response follows its instruction: the reward RM_IF.

It is a judge's additive score of up to five points (Yuan et al. 2024, Self-Rewarding Language
Models; Lin et al. 2024, sec. 3.2). The other reward, RM_fact, is `scores.factuality`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from statistics import fmean

from plumbline.records import Generation, Request, Sampling
from plumbline.responses.drawn import Response, answers
from plumbline.responses.prompting import Form, demonstrated, stop_at
from plumbline.responses.scores import POINTS, Helpfulness

PURPOSE = "flame_judge"

_TASK = """\
You are to score how well a response serves the user who gave the instruction. Start at 0 and add \
one point for each of these that holds:
1. It is on the topic and gives at least some of what was asked for.
2. It deals with most of the instruction, even if not with all of it or not fully.
3. It is of real use: the essentials of the instruction are answered.
4. It speaks to the user as a good assistant would: direct, well ordered, complete and polite.
5. It is as good as an expert's: precise, fitted to this user, with nothing missing or superfluous.
The total lies between 0 and 5. Explain your judgement in at most 100 words. Then write the total \
on a line of its own, as "Score:" and the number."""
# The paper tunes its judge on scored examples, which are not public; these are shown instead.
_SHOTS = (
    (
        "How do I get a red wine stain out of a tablecloth?",
        "Wine is made from grapes. Red wine gets its colour from their skins.",
        "It stays near the topic, wine, but does not say how to remove the stain.\nScore: 1",
    ),
    (
        "Suggest a title for a talk about saving water at home.",
        '"Every Drop at Home: Ten Small Ways to Save Water". It names the subject and promises '
        "something practical.",
        "It gives a fitting title at once and says briefly why it works. Nothing is missing and "
        "nothing too much.\nScore: 5",
    ),
    (
        "Explain what a semicolon is for, with two examples.",
        "A semicolon joins two sentences that belong together. Example: It rained; we stayed in.",
        "The explanation is right and useful, but only one of two examples is given, and lists "
        "are not mentioned.\nScore: 3",
    ),
)
_SCORE = re.compile(
    r"score[ *_]*:[ \t*_<]*([+-]?\d+(?:\.\d+)?)(?:[ *_>]*(?:/|out of)[ ]*(\d+))?", re.IGNORECASE
)


def judge_requests(
    responses: Iterable[Response],
    form: Form,
    *,
    samples: int = 3,
    temperature: float = 0.7,
    top_p: float = 0.9,
    max_tokens: int = 256,
) -> Iterator[Request]:
    """`samples` judgements of each response."""
    sampling = Sampling(
        n=samples,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        stop=stop_at(form, "\nUser:"),
    )
    shots = [(_item(*shown), judgement) for *shown, judgement in _SHOTS]
    for one in responses:
        yield Request(
            id=f"{one.id}/{PURPOSE}",
            sampling=sampling,
            purpose=PURPOSE,
            response=one.id,
            **demonstrated(_TASK, shots, _item(one.prompt, one.text), "Judgement:", form),
        )


def _item(instruction: str, response: str) -> str:
    return f"User: {instruction}\n\n<response>\n{response}\n</response>"


def parse_score(text: str) -> float | None:
    """The last `Score: n` of a judgement, also as n/5 or "n out of 5"; kept within 0 and 5.

    The number stands on the line of the word. None where there is none, or it is out of another
    number than five.
    """
    found = _SCORE.findall(text)
    if not found:
        return None
    value, whole = found[-1]
    if whole and int(whole) != POINTS:
        return None
    return min(max(float(value), 0.0), POINTS)


def helpfulness(
    requests: Iterable[Request], generations: Iterable[Generation]
) -> list[Helpfulness]:
    """RM_IF of every judged response: the mean over the samples whose score can be read."""
    rows = []
    for request, drawn in answers(requests, generations):
        scores = [parse_score(generation.answer) for generation in drawn]
        readable = [score for score in scores if score is not None]
        rows.append(
            Helpfulness(
                id=request.response,
                score=fmean(readable) if readable else None,
                samples=len(drawn),
                parsed=len(readable),
            )
        )
    return rows
