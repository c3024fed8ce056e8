"""Reads the findings on a report's page and looks every figure in them up in the run's tables."""

from __future__ import annotations

import csv
import math
import re
from html.parser import HTMLParser
from pathlib import Path

# Figures that are no result: the level of the intervals and the power of `detectable`.
FIXED = ("95 % interval", "80 of 100 such runs")
FIGURE = re.compile(r"<?(?<![A-Za-z\d.,])\d[\d,]*(?:\.\d+)?")
VERDICT = re.compile(r"\b(Higher|Lower|Held)\b")
IN_NAME = re.compile(r"\d+(?:\.\d+)?")


class _Findings(HTMLParser):
    """Texts of the list items of every list of class `findings`."""

    def __init__(self):
        super().__init__()
        self.inside, self.texts = False, []

    def handle_starttag(self, tag, attrs):
        if tag == "ol" and dict(attrs).get("class") == "findings":
            self.inside = True
        elif self.inside and tag == "li":
            self.texts.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "ol"

    def handle_data(self, data):
        if self.inside and self.texts:
            self.texts[-1] += data


def findings(page: str) -> list[str]:
    """The findings of a page, each as one line of text."""
    parser = _Findings()
    parser.feed(page)
    return [" ".join(text.replace("\xa0", " ").split()) for text in parser.texts]


def figures(text: str) -> list[str]:
    """Every figure that a finding prints, without signs and thousands' commas."""
    for fixed in FIXED:
        text = text.replace(fixed, "")
    return [found.replace(",", "") for found in FIGURE.findall(text)]


def printed(row: dict[str, str]) -> set[str]:
    """All ways in which the report may print the cells of a row."""
    ways = set()
    for cell in row.values():
        try:
            value = abs(float(cell))
        except ValueError:
            ways |= set(IN_NAME.findall(cell))  # names of checkpoints hold figures too
            continue
        if math.isfinite(value):
            ways |= {f"{value:.0f}"} if value == round(value) else set()
            ways |= {f"{value:.1f}", f"{100 * value:.1f}", f"{value:.3f}", f"{100 * value:g}"}
            ways |= {"<0.001"} if value < 0.001 else set()
    return ways


def unfounded(page: str, tables: Path) -> list[str]:
    """Complaints about the findings of a page; none where each is of one primary contrast, all of
    these are told, and every figure stands in the contrast's row.
    """
    with (tables / "contrasts.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["role"] == "primary"]
    texts, complaints = findings(page), []
    if len(texts) != len(rows):
        complaints.append(f"{len(texts)} findings of {len(rows)} primary contrasts")
    for text, row in zip(texts, rows, strict=False):
        ways = printed(row)
        complaints += [f"{one}: in no cell of its row: {text}" for one in figures(text)
                       if one not in ways]  # fmt: skip
        said = "+".join(VERDICT.findall(text)).lower() or "undecided"
        if said != row["verdict"]:
            complaints.append(f"{row['verdict']} is told as {said}: {text}")
    return complaints
