"""The comparisons of APEFT's trainings (Yuan et al. 2024)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.evaluation.contrasts import (
    DOMAINS,
    FACTUALITY,
    LONG_FORM,
    Contrast,
    against_placebo,
    in_domains,
)
from plumbline.names import variant

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage


def contrasts(config: Config, lineage: Lineage) -> Iterator[Contrast]:
    """Primary: the largest share of atomic preferences against general ones alone, under the first
    loss, by the precision of long answers out of the tuning domain, for the variant that filters least.

    It is out of the domain since the paper starts from models that were tuned for factuality and gain
    little or nothing outside their tuning domain, and offers atomic preferences as the remedy.
    Exploratory: the same in the domain, the other losses, and the gain over the parent.
    """
    apeft = config.apeft
    if apeft is None:
        return
    most = max(apeft.atomic_percent)
    for percent in apeft.keep_unknown:
        method = variant("apeft", percent)
        for loss in apeft.losses:
            atomic, general = (f"{method}.atomic-{share:g}.{loss}" for share in (most, 0))
            first = loss == apeft.losses[0] and percent == max(apeft.keep_unknown)
            primary = "ood" if first else ""
            if most:
                yield from in_domains(
                    method, "atomic preferences", atomic, general, LONG_FORM, FACTUALITY, primary
                )
            yield from in_domains(
                method, "gain over the parent", atomic, apeft.parent, LONG_FORM, FACTUALITY
            )
        places = [(LONG_FORM, domain, FACTUALITY) for domain in DOMAINS]
        yield from against_placebo(method, lineage, places)
