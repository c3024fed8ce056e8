"""The comparisons of FLAME's trainings (Lin et al. 2024)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.evaluation.contrasts import (
    DOMAINS,
    FACTUALITY,
    LONG_FORM,
    WIN_RATE,
    Contrast,
    against_placebo,
    in_domains,
)
from plumbline.names import variant

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage


def contrasts(config: Config, lineage: Lineage) -> Iterator[Contrast]:
    """Primary: DPO★ on SFT★ against DPO on SFT, by the precision of long answers, for the variant that
    filters least; in the tuning domain, unless none of its prompts is evaluated.

    Exploratory: the same outside it, SFT★ against SFT, and how often a judge prefers either.
    """
    flame = config.flame
    if flame is None:
        return
    long_form = config.evaluation.long_form
    domain = "id" if long_form and long_form.entities else "ood"
    for percent in flame.keep_unknown:
        method = variant("flame", percent)
        both = f"{method}.sft-star.dpo-star", f"{method}.sft.dpo"
        first_stage = f"{method}.sft-star", f"{method}.sft"
        primary = domain if percent == max(flame.keep_unknown) else ""
        named = ("factuality-aware alignment", both), ("factuality-aware tuning", first_stage)
        for name, sides in named:
            yield from in_domains(
                method, name, *sides, LONG_FORM, FACTUALITY, primary if sides == both else ""
            )
            yield Contrast(method, name, *sides, WIN_RATE, "ood", "win")  # of no relation
        places = [(LONG_FORM, domain, FACTUALITY) for domain in DOMAINS]
        yield from against_placebo(method, lineage, places)
