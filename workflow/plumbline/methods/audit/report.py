"""The names of what the report shows of an audit."""

from __future__ import annotations

from plumbline.methods.audit.tables import TABLES
from plumbline.report.parts import Report

REPORT = Report(tables=TABLES, chapter="plumbline.methods.audit.chapter")
