"""Win rate by a pairwise judge that sees each pair of responses in both orders."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from statistics import fmean
from typing import Literal

from pydantic import Field

from plumbline.data.instructions import Instruction
from plumbline.files import InputError
from plumbline.records import Generation, NonEmpty, Record, Request, Sampling
from plumbline.responses.drawn import answers
from plumbline.responses.prompting import Form, demonstrated, stop_at

PURPOSE = "flame_compare"
Outcome = Literal["win", "loss", "tie", "inconsistent", "identical", "unparsed"]
VALUES: dict[str, float] = {
    "win": 1.0, "loss": 0.0, "tie": 0.5, "inconsistent": 0.5, "identical": 0.5
}  # fmt: skip

_TASK = (
    "Two assistants, A and B, answered the same instruction. Decide which response serves the "
    "user better: follow the instruction, be helpful, correct, clear, and no longer than it needs "
    "to be. The order of the two and their length alone say nothing about their quality. Give your "
    'reason in one or two sentences. Then write one line with your decision: "Verdict: A", '
    '"Verdict: B", or "Verdict: tie" if neither is better.'
)
_SHOTS = (
    (
        "Name a fruit that is yellow.",
        "Fruits come in many colours.",
        "A lemon is yellow.",
        "B names a yellow fruit; A does not answer.\nVerdict: B",
    ),
    (
        "How can I keep cut flowers fresh for longer?",
        "Cut the stems at a slant, change the water every two days and keep the vase out of the "
        "sun.",
        "Put them in a vase.",
        "A gives three useful steps, while B says what everyone does anyway.\nVerdict: A",
    ),
    (
        "Wish my aunt a good journey.",
        "Have a wonderful journey, dear aunt!",
        "Dear aunt, I wish you a very good trip!",
        "Both are short, warm and to the point.\nVerdict: tie",
    ),
)
# "Verdict: A or B", an echo of the question, is no decision.
_VERDICT = re.compile(r"verdict\W*?:\W*?\b(a|b|tie)\b(?!\s*(?:or\b|[/|,]))", re.I)


class Comparison(Record):
    """What the judge made of one instruction's two responses, seen from the first one."""

    id: NonEmpty = Field(description="The instruction's id.")
    outcome: Outcome
    value: float | None = Field(None, description="1 win, 0 loss, 0.5 otherwise; unparsed: absent.")


def compare_requests(
    instructions: Iterable[Instruction],
    first: Mapping[str, str],
    second: Mapping[str, str],
    form: Form,
    max_tokens: int = 128,
) -> Iterator[Request]:
    """Two greedy requests for each instruction: the first response as A, then as B.

    first, second: response texts by instruction id. Responses that are equal are not judged.
    Raises InputError when an instruction lacks a response.
    """
    sampling = Sampling(max_tokens=max_tokens, stop=stop_at(form, "\nInstruction:"))
    shots = [(_item(*shown), judgement) for *shown, judgement in _SHOTS]
    for one in instructions:
        if one.id not in first or one.id not in second:
            raise InputError(
                f"instruction {one.id}: a response is missing; both models must have answered it."
            )
        mine, theirs = first[one.id].strip(), second[one.id].strip()
        if mine == theirs:
            continue
        for place, (a, b) in (("a", (mine, theirs)), ("b", (theirs, mine))):
            yield Request(
                id=f"{one.id}/{PURPOSE}#{place}",
                sampling=sampling,
                purpose=PURPOSE,
                instruction=one.id,
                first_is=place,
                **demonstrated(_TASK, shots, _item(one.instruction, a, b), "Reason:", form),
            )


def _item(instruction: str, a: str, b: str) -> str:
    return (
        f"Instruction: {instruction}\n\n[Response A]\n{a}\n[End of A]\n\n"
        f"[Response B]\n{b}\n[End of B]\n"
    )


def parse_verdict(text: str) -> Literal["a", "b", "tie"] | None:
    """The last verdict of a judgement; None where there is none."""
    found = _VERDICT.findall(text)
    return found[-1].lower() if found else None


def comparisons(
    instructions: Iterable[Instruction],
    requests: Iterable[Request],
    generations: Iterable[Generation],
) -> list[Comparison]:
    """One outcome an instruction, by the conservative rule of Zheng et al. 2023 (sec. 3.4).

    A response wins only when it is preferred in both orders. Preferred once and not again
    (a tie, or the other one) is inconsistent and counts as a tie. Where either judgement cannot be
    read the outcome is unparsed and has no value. No request means identical responses.
    """
    seen: dict[str, list[str | None]] = defaultdict(list)
    for request, (generation,) in answers(requests, generations):
        verdict = parse_verdict(generation.answer)
        if verdict in ("a", "b"):
            verdict = "win" if verdict == request.first_is else "loss"
        seen[request.instruction].append(verdict)
    rows = []
    for one in instructions:
        outcome = _outcome(seen.get(one.id))
        rows.append(Comparison(id=one.id, outcome=outcome, value=VALUES.get(outcome)))
    return rows


def _outcome(verdicts: list[str | None] | None) -> Outcome:
    if verdicts is None:
        return "identical"
    if None in verdicts:
        return "unparsed"
    return verdicts[0] if verdicts[0] == verdicts[1] else "inconsistent"


def win_rate(rows: Iterable[Comparison]) -> float | None:
    """Mean value of the judged instructions, in [0, 1]; None when none could be judged."""
    values = [row.value for row in rows if row.value is not None]
    return fmean(values) if values else None
