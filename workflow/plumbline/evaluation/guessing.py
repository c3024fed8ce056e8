"""What choice questions give away: the score of chance, and of choosing without the question.

Both belong beside every score of a choice task: the first is the score of a model that knows nothing,
the second that of a model that only learnt which kind of choice tends to be right. Ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from plumbline.records import ChoiceQuestion

CHANCE, PRIOR = "chance_", "prior_"  # precede the name of the measure that they belong to


def guessed(questions: Sequence[ChoiceQuestion], places: bool) -> dict[str, float]:
    """`chance_M` and `prior_M` of questions of one set, in [0, 1].

    M: mc1 over the questions that have it, or acc if none has. Chance: the expected score of a choice
    drawn at random. Prior: the highest score of one of these rules, applied to all questions: the
    longest choice, the shortest, the commonest answer (for questions made from facts; if it is not
    offered, the longest) and, if choices are shown with letters (`places`), always the same letter.
    Among equally long choices one is drawn, so the expected score counts.
    """
    asked = [question for question in questions if _best(question) is not None]
    metric, asked = ("mc1", asked) if asked else ("acc", list(questions))
    rows = [_offered(question, metric) for question in asked]
    strategies = {
        "longest": [_mean_at(max, row) for row in rows],
        "shortest": [_mean_at(min, row) for row in rows],
    }
    if any(question.commonest is not None for question in asked):
        strategies["commonest"] = [
            float(question.labels[question.commonest])
            if question.commonest is not None
            else longest
            for question, longest in zip(asked, strategies["longest"], strict=True)
        ]
    if places:
        for at in range(max(map(len, rows))):
            strategies[f"place {at}"] = [row[at][1] if at < len(row) else 0 for row in rows]
    return {
        CHANCE + metric: fmean(fmean(right for _, right in row) for row in rows),
        PRIOR + metric: max(map(fmean, strategies.values())),
    }


def _best(question: ChoiceQuestion) -> int | None:
    if question.best is None and sum(question.labels) == 1:
        return question.labels.index(1)
    return question.best


def _offered(question: ChoiceQuestion, metric: str) -> list[tuple[str, int]]:
    """The choices that count, with whether each is right: for MC1, the best and the false ones."""
    labelled = zip(question.choices, question.labels, strict=True)
    if metric == "acc":
        return list(labelled)
    best = _best(question)
    return [
        (choice, int(at == best))
        for at, (choice, label) in enumerate(labelled)
        if at == best or not label
    ]


def _mean_at(extreme, row: list[tuple[str, int]]) -> float:
    """The mean of what is right among the longest (max) or the shortest (min) choices."""
    length = extreme(len(choice) for choice, _ in row)
    return fmean(right for choice, right in row if len(choice) == length)
