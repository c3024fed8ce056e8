"""The names of what the report shows of the method."""

from __future__ import annotations

from plumbline.methods.apeft.tables import TABLES
from plumbline.report.parts import Report

REPORT = Report(
    tables=TABLES,
    chapter="plumbline.methods.apeft.chapter",
)
