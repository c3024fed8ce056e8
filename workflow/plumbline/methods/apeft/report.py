"""The names of the method's parts of the report."""

from __future__ import annotations

from plumbline.methods.apeft.tables import TABLES
from plumbline.report.parts import Report

REPORT = Report(
    tables=TABLES,
    chapter="plumbline.methods.apeft.chapter",
)
