"""What the training on self-consistency preferences is compared for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.evaluation.contrasts import (
    CLOSED_BOOK,
    DOMAINS,
    Contrast,
    against_placebo,
    in_domains,
)
from plumbline.evaluation.exact_answers import TASKS
from plumbline.names import variant

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage

METRIC = "em"


def contrasts(config: Config, lineage: Lineage) -> Iterator[Contrast]:
    """Primary: EM of the tuned model against its parent on test facts of the tuning domain, asked
    in the form it is tuned in, for the variant that filters least.

    Exploratory: the same out of the domain, and with few-shot examples, where knowing the form is
    not part of the difference.
    """
    settings = config.consistency
    if settings is None:
        return
    asked = TASKS[settings.prompt]
    for percent in settings.keep_unknown:
        method = variant("consistency", percent)
        compared = method, "gain over the parent", f"{method}.dpo", settings.parent
        primary = "id" if percent == max(settings.keep_unknown) else ""
        yield from in_domains(*compared, asked, METRIC, primary)
        yield from in_domains(*compared, CLOSED_BOOK, METRIC)
        places = [(asked, domain, METRIC) for domain in DOMAINS]
        yield from against_placebo(method, lineage, places)
