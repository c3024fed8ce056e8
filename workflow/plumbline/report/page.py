"""The report page: one HTML file that contains everything and loads nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from plumbline.report.answers import FILTERS
from plumbline.report.blocks import VERDICT_MARKS, Browser, Picture
from plumbline.report.drawing import PALETTE
from plumbline.report.names import FIGURES
from plumbline.report.sections import build_sections
from plumbline.report.tables import Run, trainings
from plumbline.storage.files import InputError, atomic_write

HERE = Path(__file__).parent
SCRIPTS = ("sort.js", "files.js", "answers.js")  # the third needs what the second defines
EXPLORATORY = (
    "Intervals here are not corrected for their number, and no difference is claimed; the questions "
    "asked in advance, and the findings, are at the top."
)


def inline_svg(path: Path) -> Markup:
    """A figure of `draw_figures` for the page: its colours become the page's (light and dark).

    Raises `InputError` when the file is missing or is not an SVG.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Draw the figures first."
        ) from error
    if not text.lstrip().startswith("<svg"):
        raise InputError(f"{path}: no SVG drawing of this project. Draw the figures again.")
    text = re.sub(r'(<svg[^>]*?) width="[\d.]+"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[\d.]+"', r"\1", text, count=1)
    for name, colour in PALETTE.items():
        text = re.sub(re.escape(colour), f"var(--{name})", text, flags=re.IGNORECASE)
    return Markup(text)


def pack(text: str) -> Markup:
    """Text for the page's `unpack`: small, and never read as markup. The same for the same text."""
    return Markup(base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode())


def _unbroken(value: object) -> object:
    """Prevent line breaks before a percent sign."""
    return value.replace(" %", "\u00a0%") if type(value) is str else value


def write_page(run: Run, figures: Path | str, name: str, out: Path | str) -> None:
    """Write the page for `run`, titled `name`, with the SVG files of the folder `figures`."""
    sections = build_sections(run)
    pictures = {
        block.name: inline_svg(Path(figures) / f"{block.name}.svg")
        for section in sections
        for block in section.blocks
        if isinstance(block, Picture)
    }
    browsers = [b for section in sections for b in section.blocks if isinstance(b, Browser)]
    files = {f"table-{table}": pack(text) for table, text in run.files.items()}
    for browser in browsers:  # one at most
        files["answers"] = pack(json.dumps(browser.packed, ensure_ascii=False))
    scripts = [(HERE / script).read_text(encoding="utf-8") for script in SCRIPTS]
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    metrics = run.tables.metrics
    text = environment.get_template("index.html.j2").render(
        name=name,
        sections=sections,
        pictures=pictures,
        palette=PALETTE,
        marks=VERDICT_MARKS,
        exploratory=EXPLORATORY,
        scripts=[Markup(script) for script in scripts],
        script_digests=[base64.b64encode(digest).decode() for digest in digests],
        files=files,
        filters=FILTERS,
        tables_of={name: figure.table for name, figure in FIGURES.items()},
        facts={
            "models": ", ".join(dict.fromkeys(metrics.model)),
            "checkpoints": metrics.checkpoint.nunique(),
            "seeds": trainings(metrics),
            "device": run.plan.get("device", "–"),
        },
    )
    with atomic_write(out) as stream:
        stream.write(text)
