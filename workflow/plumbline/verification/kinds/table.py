"""`table`: rules over the run's own facts."""

from __future__ import annotations

from collections.abc import Sequence

from plumbline.config.verification import FactTable
from plumbline.records import Question
from plumbline.verification.kinds.means import Means


def build(settings: FactTable, facts: Sequence[Question], means: Means):
    from plumbline.verification.table import TableVerifier

    return TableVerifier(facts)
