"""The headline for a terminal: what was asked and found, then exploratory figures."""

from __future__ import annotations

import textwrap

from plumbline.report import closed_book_sections as closed_book
from plumbline.report import contrast_sections as contrasts
from plumbline.report import long_form_sections as long_form
from plumbline.report.chapters import chapters
from plumbline.report.tables import Tables

WIDTH = 78
EXPLORATORY = (
    "All figures below are exploratory: 95 % intervals that are not corrected for their number."
)


def as_text(tables: Tables) -> str:
    """Under 80 columns: a paragraph per primary contrast, as on the page; then closed-book EM by
    form, the methods' own lines, and how factual long answers are, if there are any.
    """
    lines = textwrap.wrap(contrasts.NOTHING, WIDTH) if tables.contrasts.empty else []
    for model in dict.fromkeys(tables.contrasts.model):
        lines += [model]
        for one in (row.finding for row in contrasts.told(tables, model, "primary")):
            lines.append("")
            for text, start in (
                (f"{one.word}. {one.asked}", f"{one.mark} "),
                (one.sentence, "  "),
                (", ".join(filter(None, (" against ".join(one.names), one.basis))), "  "),
            ):
                lines += textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent="  ")
        for text in contrasts.notes(tables, model):
            lines += ["", *textwrap.wrap(text, WIDTH)]
        lines.append("")
    lines += textwrap.wrap(contrasts.about_seeds(tables.metrics), WIDTH)
    figures = closed_book.as_lines(tables.metrics)
    figures += [line for chapter in chapters() for line in chapter.lines(tables)]
    figures += long_form.as_lines(tables.metrics, tables.judge_calibration)
    if figures:
        lines += ["", *textwrap.wrap(EXPLORATORY, WIDTH), *figures]
    return "\n".join(lines) + "\n"
