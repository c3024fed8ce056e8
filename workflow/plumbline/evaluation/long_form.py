"""Responses at length as measured items: how factual they are, and which ones a judge prefers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from plumbline.claims.records import Claim, Response, SplitState, Splitting, Verdict
from plumbline.data.instruction_sets import Prompt
from plumbline.evaluation.factuality import Counts, count_verdicts, response_metrics
from plumbline.files import InputError
from plumbline.records import Item
from plumbline.text import segments

FACTUALITY, WIN_RATE = "long_form", "win_rate"


def long_form_items(
    prompts: Iterable[Prompt],
    responses: Mapping[str, Response],
    splittings: Sequence[Splitting],
    claims: Iterable[Claim],
    verdicts: Iterable[Verdict],
    *,
    gamma: float,
    ks: Sequence[int],
) -> list[Item]:
    """One item a prompt: `evaluation.factuality.response_metrics`, its length in `words`, and
    `cut_off` (0/1): its last sentence, unfinished at the token limit, was left out.

    responses: by the prompt's id. A prompt without one was answered with an empty text, which is
    a response that says nothing. gamma and ks: of the length penalty, and of F1@K. `split_state`
    is kept beside the metrics. Raises InputError where claims, verdicts or splittings are missing.
    """
    splittings = list(splittings)
    counts = count_verdicts(splittings, claims, verdicts)
    split = {splitting.response: splitting for splitting in splittings}
    items = []
    for prompt in prompts:
        response = responses.get(prompt.id)
        if response is None:
            splitting = Splitting(response=prompt.id, state=SplitState.EMPTY)
            counted, words, cut_off = Counts(supported=0), 0, 0.0
        elif response.id in split:
            splitting, counted = split[response.id], counts[response.id]
            words, cut_off = len(segments(response.text)), float(response.cut_off)
        else:
            raise InputError(f"response {response.id} was not split into claims. Split again.")
        metrics = response_metrics(splitting, counted, gamma=gamma, ks=ks)
        items.append(
            Item(
                id=prompt.id,
                task=FACTUALITY,
                domain=prompt.domain,
                cluster=prompt.topic or prompt.id,
                metrics=metrics | {"words": float(words), "cut_off": cut_off},
                split_state=splitting.state,
            )
        )
    return items


def win_rate_items(
    prompts: Iterable[Prompt], outcomes: Mapping[str, tuple[str, float | None]]
) -> list[Item]:
    """One item a compared prompt: `win` (1, 0, or 0.5 where neither won), absent if unparsed.

    outcomes: by prompt id, the name of the outcome and its value, None if a judgement could not be
    read. Flags (0/1) of every item: `tie` (value 0.5) and `unparsed`. The name is kept as `outcome`.
    """
    items = []
    for prompt in prompts:
        outcome, value = outcomes[prompt.id]
        metrics = {"tie": float(value == 0.5), "unparsed": float(value is None)}
        items.append(
            Item(
                id=prompt.id,
                task=WIN_RATE,
                domain=prompt.domain,
                cluster=prompt.topic or prompt.id,
                metrics=metrics if value is None else {"win": value, **metrics},
                outcome=outcome,
            )
        )
    return items
