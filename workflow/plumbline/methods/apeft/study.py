"""The study over losses: what atomic preferences gain under each (Yuan et al. 2024)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from plumbline.evaluation.gains import PARENT, gains
from plumbline.evaluation.grid import Grids
from plumbline.methods.apeft.tables import StudyRow
from plumbline.names import parts, variant

AVERAGE, GENERAL = "average", "general-only"


STUDIED = re.compile(r"atomic-(\d+(?:\.\d+)?)\.(\w+)")


def study_rows(
    model: str, grids: Grids, parents: Mapping[str, str], *, confidence: float
) -> Iterator[StudyRow]:
    """The study over losses: checkpoints `apeft.atomic-<per cent>.<loss>`.

    Each is compared with its parent, and those with atomic preferences with those with general ones
    alone (0 per cent) under the same loss; all over the same tasks. With several losses, their mean
    is compared as well, item by item.
    """
    cases: list[tuple[str, float, str, str]] = []  # method, per cent, loss, against
    pairs: list[tuple[str, str]] = []
    for checkpoint, parent in parents.items():
        method, kept, rest = parts(checkpoint)
        if method != "apeft" or not (match := STUDIED.fullmatch(rest)):
            continue
        method, percent, loss = variant(method, kept), float(match[1]), match[2]
        cases.append((method, percent, loss, PARENT))
        pairs.append((checkpoint, parent))
        general = f"{method}.atomic-0.{loss}"
        if percent and general in parents:
            cases.append((method, percent, loss, GENERAL))
            pairs.append((checkpoint, general))
    if not pairs:
        return
    groups: dict[tuple[str, float, str], list[int]] = {}
    for column, (method, percent, _, against) in enumerate(cases):
        groups.setdefault((method, percent, against), []).append(column)
    for domain, gain in gains(grids, pairs).items():
        for (method, percent, against), columns in groups.items():
            whose = dict(
                model=model, method=method, percent=percent, against=against, domain=domain
            )
            for column in columns:
                loss = cases[column][2]
                yield StudyRow(loss=loss, **whose, **gain.figures([column], confidence))
            if len(columns) > 1:
                figures = gain.figures(columns, confidence)
                yield StudyRow(loss=AVERAGE, **whose, **figures)
