"""The comparisons of GRATH's rounds (Chen et al. 2024)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from plumbline.config.choices import ChoiceSet
from plumbline.evaluation.contrasts import (
    CLOSED_BOOK,
    DOMAINS,
    EQUIVALENCE,
    PRIMARY,
    SECONDARY,
    Contrast,
    against_placebo,
)
from plumbline.names import variant

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage

METRIC = "mc2"
# Sets that ask what is true; the others ask about what should be held, such as common sense.
OF_TRUTH = ("truthfulqa", "truthfulqa_binary", "facts", "rows", "labelled")


def contrasts(config: Config, lineage: Lineage) -> Iterator[Contrast]:
    """Primary: MC2 of the last round against the model before the first, on the first set that asks
    what is true (or the first of all, if none does), for the variant that filters least.

    Exploratory: the other such sets, each round against the one before, and whether the other sets and
    closed-book answers are held.
    """
    grath = config.grath
    if grath is None:
        return
    sets = config.evaluation.choices
    true = [choices for choices in sets if choices.format in OF_TRUTH] or sets[:1]
    places = [place for choices in true for place in _places(choices)]
    held = [
        *(
            (choices.name, domain, "acc")
            for choices in sets
            if choices not in true
            for domain in _domains(choices)
        ),
        *((task.task, task.domain, "acc") for task in config.evaluation.harness),
        *((CLOSED_BOOK, domain, "em") for domain in DOMAINS),
        *(
            (closed_book.name, closed_book.domain, "em")
            for closed_book in config.evaluation.closed_book
        ),
    ]
    for percent in grath.keep_unknown:
        method = variant("grath", percent)
        rounds = [grath.parent, *(f"{method}.r{k}" for k in range(1, grath.rounds + 1))]
        last, start = rounds[-1], rounds[0]
        for place in places:
            first = place == places[0] and percent == max(grath.keep_unknown)
            role = PRIMARY if first else SECONDARY
            yield Contrast(method, "all rounds", last, start, *place, role)
        for before, after in pairwise(rounds):
            if grath.rounds > 1:
                for place in places:
                    yield Contrast(method, "one round more", after, before, *place)
        for place in held:
            yield Contrast(method, "what should be held", last, start, *place, kind=EQUIVALENCE)
        yield from against_placebo(method, lineage, places)


def _domains(choices: ChoiceSet) -> tuple[str, ...]:
    return DOMAINS if choices.format == "facts" else (choices.domain,)


def _places(choices: ChoiceSet) -> list[tuple[str, str, str]]:
    return [(choices.name, domain, METRIC) for domain in _domains(choices)]
