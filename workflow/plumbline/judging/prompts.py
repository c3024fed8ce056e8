"""A judge's prompts: which of two responses is better, and how many points one deserves.

Every prompt ends where the verdict follows. No example is shown, since a small model would repeat its
verdict.
"""

from __future__ import annotations

from plumbline.responses.prompting import Form, asked
from plumbline.scoring.closed_question import ClosedQuestion

SIDES = ("A", "B")
POINTS = ("1", "2", "3", "4", "5")

_COMPARE = (
    "Two assistants, A and B, answered the same instruction. Which response serves the user "
    "better: does it do what was asked, and is it correct, clear, complete, and no longer than it "
    "needs to be? Neither the order of the two nor their length says anything about their quality.\n\n"
    "Instruction: {instruction}\n\n[Response A]\n{a}\n[End of A]\n\n[Response B]\n{b}\n[End of B]\n\n"
    "Answer with one letter, A or B."
)
_RATE = """\
How well does a response serve the user who gave the instruction? It gets one point for each of \
these that holds:
1. It is on the topic and gives at least some of what was asked for.
2. It deals with most of the instruction, even if not with all of it or not fully.
3. It is of real use: the essentials of the instruction are answered.
4. It speaks to the user as a good assistant would: direct, well ordered, complete and polite.
5. It is as good as an expert's: precise, fitted to this user, with nothing missing or superfluous.

User: {instruction}

<response>
{response}
</response>

Answer with the number of points, from 1 to 5."""


def comparison(name: str, instruction: str, a: str, b: str, form: Form) -> ClosedQuestion:
    """Which of two responses is better, A or B."""
    text = _COMPARE.format(instruction=instruction, a=a, b=b)
    return _question(name, text, "Better response:", SIDES, form)


def rating(name: str, instruction: str, response: str, form: Form) -> ClosedQuestion:
    """How many of five points a response deserves (Yuan et al. 2024, Self-Rewarding LMs)."""
    text = _RATE.format(instruction=instruction, response=response)
    return _question(name, text, "Points:", POINTS, form)


def _question(
    name: str, text: str, cue: str, options: tuple[str, ...], form: Form
) -> ClosedQuestion:
    if form == "plain":
        return ClosedQuestion(name, options, prompt=f"{text}\n{cue}")
    return ClosedQuestion(name, options, messages=tuple(asked(text, form)["messages"]))
