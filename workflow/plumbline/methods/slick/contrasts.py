"""The comparisons of mixes of known and new facts (Gekhman et al. 2024, sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.evaluation.contrasts import CLOSED_BOOK, Contrast, in_domains
from plumbline.evaluation.exact_answers import TASKS

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage

METHOD, METRIC = "mix", "em"


def contrasts(config: Config, lineage: Lineage) -> Iterator[Contrast]:
    """Primary: the most new facts against none, at convergence, in the tuning domain.

    Asked in the form that mixes are tuned in. Exploratory: the same out of the domain and with few-shot
    examples, the shares in between, and stopping early with the most new facts.
    """
    task = TASKS[config.mixes.prompt]
    percents = sorted(config.mixes.unknown_percent)
    if not percents:
        return
    none, *others = (f"mix.unknown-{percent:g}" for percent in percents)
    if percents[0] == 0:
        for mix in others:
            sides = f"{mix}.convergence", f"{none}.convergence"
            primary, name = "id" if mix == others[-1] else "", "new facts against none"
            yield from in_domains(METHOD, name, *sides, task, METRIC, primary)
            if primary and task != CLOSED_BOOK:
                yield from in_domains(METHOD, name, *sides, CLOSED_BOOK, METRIC)
    most = [none, *others][-1]
    sides = f"{most}.early_stop", f"{most}.convergence"
    yield from in_domains(METHOD, "stopping early", *sides, task, METRIC)
