"""Judges: which of two responses is better, and how many points one deserves, as probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from plumbline.config.engines import Scoring
from plumbline.judging.prompts import POINTS, comparison, rating
from plumbline.responses.prompting import Form
from plumbline.scoring.closed_question import ClosedQuestion

Ask = Callable[[Sequence[ClosedQuestion]], list[list[float]]]
MOST = float(POINTS[-1])


@dataclass(frozen=True)
class Duel:
    """Two responses to one instruction; `reference`: a person's response, if there is one."""

    id: str
    instruction: str
    first: str
    second: str
    reference: str | None = None


@dataclass(frozen=True)
class Single:
    """One response to an instruction."""

    id: str
    instruction: str
    text: str
    reference: str | None = None


class Judge(Protocol):
    """`prefer`: the probability that the first response is better, when shown first and when shown
    second; None if the judge cannot decide. `rate`: 0 to 5 points, or None.
    """

    def prefer(self, duels: Sequence[Duel]) -> list[tuple[float, float] | None]: ...

    def rate(self, responses: Sequence[Single]) -> list[float | None]: ...


class PromptedJudge:
    """A model as the judge; `ask` gives the probabilities of the options of closed questions."""

    def __init__(self, ask: Ask, form: Form):
        self._ask, self._form = ask, form

    def prefer(self, duels: Sequence[Duel]) -> list[tuple[float, float] | None]:
        asked = [
            comparison(f"{duel.id}#{order}", duel.instruction, *sides, self._form)
            for duel in duels
            for order, sides in enumerate(((duel.first, duel.second), (duel.second, duel.first)))
        ]
        shares = self._ask(asked)
        return [(a, b) for (a, _), (_, b) in zip(shares[::2], shares[1::2], strict=True)]

    def rate(self, responses: Sequence[Single]) -> list[float | None]:
        """The expected number of points."""
        asked = [
            rating(response.id, response.instruction, response.text, self._form)
            for response in responses
        ]
        return [
            sum(float(points) * share for points, share in zip(POINTS, shares, strict=True))
            for shares in self._ask(asked)
        ]


class ReferenceJudge:
    """Similarity to a person's response: chrF (Popović 2015), as computed by sacrebleu."""

    def __init__(self):
        from sacrebleu.metrics import CHRF

        self._chrf = CHRF()

    def prefer(self, duels: Sequence[Duel]) -> list[tuple[float, float] | None]:
        sides = [
            (
                self._nearness(duel.first, duel.reference),
                self._nearness(duel.second, duel.reference),
            )
            for duel in duels
        ]
        return [
            None if None in (first, second) else (((first > second) + (first >= second)) / 2,) * 2
            for first, second in sides
        ]

    def rate(self, responses: Sequence[Single]) -> list[float | None]:
        near = [self._nearness(response.text, response.reference) for response in responses]
        return [None if nearness is None else MOST * nearness for nearness in near]

    def _nearness(self, text: str, reference: str | None) -> float | None:
        """0 to 1; None without a reference."""
        if reference is None:
            return None
        return self._chrf.sentence_score(text, [reference]).score / 100


@dataclass(kw_only=True)
class JudgeOptions:
    """The options of a program that judges: who judges, and where it runs."""

    judge: Annotated[str, "its name: a checkpoint, or reference"]
    checkpoint: Annotated[Path | None, "the judging checkpoint's folder"] = None
    form: Annotated[Form, "of its prompts"]
    scoring: Scoring
    device: str
    threads: int


def load(options: JudgeOptions) -> Judge:
    """The judge that the options name."""
    if options.checkpoint is None:
        return ReferenceJudge()
    return PromptedJudge(asking(options), options.form)


def asking(options: JudgeOptions) -> Ask:
    """A function that puts closed questions to the judging checkpoint."""
    from plumbline.models import checkpoints, loaded
    from plumbline.scoring.closed import option_probabilities

    where = {"device": options.device, "threads": options.threads}
    model = loaded.model(options.checkpoint, options.scoring.dtype, **where)
    tokenizer = checkpoints.load_tokenizer(options.checkpoint)
    return lambda asked: option_probabilities(model, tokenizer, asked, options.scoring.batch_tokens)
