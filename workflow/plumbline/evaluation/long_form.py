"""Long answers as measured items: how factual they are, and which of them a judge prefers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from plumbline.claims.records import Claim, Response, SplitState, Splitting, Verdict
from plumbline.data.instruction_sets import Prompt
from plumbline.evaluation.factuality import Counts, count_verdicts, response_metrics
from plumbline.records import Item
from plumbline.storage.files import InputError
from plumbline.texts.text import segments

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
    """One item per prompt: `evaluation.factuality.response_metrics`, its length in `words`, and
    `cut_off` (0/1): its last sentence was left out, as the token limit had cut it off.

    responses: by the prompt's id. A prompt without a response was answered with an empty text, which
    is a response that says nothing. gamma and ks: for the length penalty and for F1@K. `split_state`
    is kept beside the metrics. Raises InputError if claims, verdicts or splittings are missing.
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
    prompts: Iterable[Prompt], preferred: Mapping[str, tuple[float, float]]
) -> list[Item]:
    """One item per compared prompt, with measures if a judge said which response is better.

    preferred: by prompt id, the probability that the first response is better, when it is shown
    first and when it is shown second. `win` is their mean; `consistent` (0/1): both prefer the same
    response.
    """
    items = []
    for prompt in prompts:
        metrics = {}
        if both := preferred.get(prompt.id):
            metrics["win"] = sum(both) / 2
            sides = {(share > 0.5) - (share < 0.5) for share in both}
            metrics["consistent"] = float(len(sides) == 1)
        items.append(
            Item(
                id=prompt.id,
                task=WIN_RATE,
                domain=prompt.domain,
                cluster=prompt.topic or prompt.id,
                metrics=metrics,
            )
        )
    return items
