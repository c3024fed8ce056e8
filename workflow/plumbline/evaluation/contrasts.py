"""What a method claims to change: two checkpoints, a task and a measure, stated before any result.

The workflow's rules read this too, so nothing is computed here; `contrast_table` tests the contrasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from plumbline.evaluation.exact_answers import TASKS
from plumbline.names import placebo

if TYPE_CHECKING:
    from plumbline.experiment.lineage import Lineage

CLOSED_BOOK = TASKS["few_shot"]
LONG_FORM, WIN_RATE = "long_form", "win_rate"
FACTUALITY = "f1"  # the main measure of long answers
DOMAINS = ("id", "ood")
PRIMARY, SECONDARY = "primary", "secondary"
DIFFERENCE, EQUIVALENCE = "difference", "equivalence"


@dataclass(frozen=True)
class Contrast:
    """`first` minus `second`, two checkpoints, by one metric of one task in one domain.

    primary: the method's paper is about it; conclusions rest on primary contrasts only.
    equivalence: whether the two differ by no more than a margin, instead of whether they differ.
    """

    method: str
    name: str
    first: str
    second: str
    task: str
    domain: str
    metric: str
    role: Literal["primary", "secondary"] = SECONDARY
    kind: Literal["difference", "equivalence"] = DIFFERENCE

    def row(self) -> dict:
        """The contrast as a row of a list that jobs read."""
        return asdict(self)


def in_domains(method: str, name: str, first: str, second: str, task: str, metric: str, primary=""):
    """The same contrast in and out of the tuning domain; `primary` names the domain where it
    is primary.
    """
    for domain in DOMAINS:
        role = PRIMARY if domain == primary else SECONDARY
        yield Contrast(method, name, first, second, task, domain, metric, role)


def against_placebo(
    method: str, lineage: Lineage, places: list[tuple[str, str, str]]
) -> Iterator[Contrast]:
    """Each of a method's tunings against its placebo, if there is one, by task, domain and metric."""
    for tuning in lineage.tunings:
        if tuning.startswith(f"{method}.") and (other := placebo(tuning)) in lineage.tunings:
            for place in places:
                yield Contrast(method, "against its placebo", tuning, other, *place)
