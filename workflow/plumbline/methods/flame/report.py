"""The names of the method's parts of the report."""

from __future__ import annotations

from plumbline.report.parts import Report

REPORT = Report(chapter="plumbline.methods.flame.chapter")
