"""Multiple choice by log-likelihood: MC1, MC2, MC3 and accuracy.

s(a) = Σ log p of a choice's tokens given the question, not divided by its length (Lin et al. 2022).
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from plumbline.records import ChoiceQuestion, Item


class ChoiceScore(Item):
    """The log-likelihoods of a question's choices, and the measures computed from them."""

    logprobs: list[float] = Field(description="s of each choice in nats, in the question's order.")


def choice_score(
    task: str,
    question: ChoiceQuestion,
    logprobs: Sequence[float],
    harness_compat: bool,
    letters: bool = False,
) -> ChoiceScore:
    """The row of one question of a set; the questions on one subject are a cluster."""
    return ChoiceScore(
        id=f"{task}/{question.id}",
        task=task,
        domain=question.domain,
        cluster=question.subject or question.id,
        logprobs=list(logprobs),
        metrics=choice_metrics(question, logprobs, harness_compat, letters),
    )


def choice_metrics(
    question: ChoiceQuestion,
    logprobs: Sequence[float],
    harness_compat: bool,
    letters: bool = False,
) -> dict[str, float]:
    """mc1, mc2, mc3, acc and acc_norm of one question, each in [0, 1].

    mc1: the best answer has a higher s than every false one. Absent if the question names no best
        answer among several true ones.
    mc2: Σ_true e^s / Σ e^s.
    mc3: share of true answers with a higher s than every false one.
    acc, acc_norm: the choice with the highest s, or the highest s per character, is true; of equal
        ones the first counts. Characters are those of the scored text: with `letters`, one each.

    With `harness_compat`, a tie counts as right in mc1, and mc2 takes the choices before the first
    false one for true and all others for false, as in version 2 of the LM evaluation harness's task
    (since version 3 it uses the labels).
    """
    import numpy as np

    s = np.asarray(logprobs, float)
    true = np.asarray(question.labels, bool)
    highest_false = s[~true].max()
    counted = true
    if harness_compat:
        counted = np.arange(len(s)) < question.labels.index(0)
    weights = np.exp(s - s.max())  # otherwise e^s of sums like -1000 would be 0
    per_character = s / [1 if letters else len(choice) for choice in question.choices]
    metrics = {
        "mc2": weights[counted].sum() / weights.sum(),
        "mc3": (s[true] > highest_false).mean(),
        "acc": true[s.argmax()],
        "acc_norm": true[per_character.argmax()],
    }
    best = question.best
    if best is None and true.sum() == 1:
        best = int(true.argmax())
    if best is not None:
        beaten = s[best] >= highest_false if harness_compat else s[best] > highest_false
        metrics["mc1"] = beaten
    return {name: float(metrics[name]) for name in sorted(metrics)}
