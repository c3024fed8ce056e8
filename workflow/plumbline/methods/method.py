"""The face of a method: what the rest of the house asks of it, answered in one place.

A method's `face.py` makes one `Method`, and `methods/registry.py` lists them. Everything else loops
over that list and knows no method by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plumbline.tuning import Tuning

if TYPE_CHECKING:
    from plumbline.evaluation.contrasts import Contrast
    from plumbline.experiment.config import Config
    from plumbline.experiment.lineage import Lineage


def _no_check(config: Config) -> None:
    pass


def _no_contrasts(config: Config, lineage: Lineage) -> Iterable[Contrast]:
    return ()


@dataclass(frozen=True)
class Method:
    """All that is known of a method outside of its own folder.

    name: what the names of its checkpoints begin with, as in `grath.r1`.
    label: the method in words, as the report writes it.
    sections: its keys at the top of the configuration, each with type and pydantic field, as
        `pydantic.create_model` takes them.
    tunings: its training runs, of which the lineage is made; none where the configuration leaves
        the method out.
    check: what must agree with other parts of the configuration; ValueError with the key where it
        does not.
    contrasts: what its checkpoints are compared for.
    """

    name: str
    label: str
    sections: Mapping[str, tuple[Any, Any]]
    tunings: Callable[[Config], Iterable[Tuning]]
    check: Callable[[Config], None] = _no_check
    contrasts: Callable[[Config, Lineage], Iterable[Contrast]] = _no_contrasts
