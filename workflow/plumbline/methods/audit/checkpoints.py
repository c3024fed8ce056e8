"""The checkpoints of an audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from plumbline.methods.tuning import Brought

if TYPE_CHECKING:
    from plumbline.experiment.config import Config
    from plumbline.methods.audit.config import AuditedModel

FOLDER = "audit"  # below the model's


def audited(config: Config) -> dict[str, AuditedModel]:
    """The sections of audited models by their checkpoints' names."""
    if config.audit is None:
        return {}
    return {f"audit.{section.name}": section for section in config.audit.checkpoints}


def brought(config: Config) -> Iterator[Brought]:
    """All of them, in the form that the lineage needs."""
    for name, section in audited(config).items():
        yield Brought(name, f"{FOLDER}/{section.name}")


def check(config: Config) -> None:
    """ValueError if it is not clear which base the audited models were tuned from."""
    if config.audit and len(config.models) > 1:
        raise ValueError(
            f"audit.checkpoints: they are compared with the one base that they were tuned from, but "
            f"models names {len(config.models)}; keep that one"
        )
