"""The names of what the report shows of the method."""

from __future__ import annotations

from plumbline.methods.consistency.tables import TABLES
from plumbline.report.parts import Report

REPORT = Report(
    tables=TABLES,
    chapter="plumbline.methods.consistency.chapter",
)
