"""The names of what the report shows of the method."""

from __future__ import annotations

from plumbline.report.parts import Report

REPORT = Report(chapter="plumbline.methods.flame.chapter")
