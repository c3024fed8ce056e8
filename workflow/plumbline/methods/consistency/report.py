"""The names of the method's parts of the report."""

from __future__ import annotations

from plumbline.methods.consistency.tables import TABLES
from plumbline.report.parts import Report

REPORT = Report(
    tables=TABLES,
    chapter="plumbline.methods.consistency.chapter",
)
