"""The canvas for figures: text stays text, and every mark has its numbers as a title.

A figure is 360 units wide, so that its text is readable on a phone. Colours are plain hex, so that the
files work anywhere; the page replaces them by its own light and dark ones.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from typing import TypeVar

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

matplotlib.use("svg")

# Named like the page's CSS variables. Colours with different meanings in one figure can be told apart
# with every common colour deficiency (Okabe and Ito 2008), and most have different markers as well.
PALETTE = {
    "fig-ink": "#1b2026",
    "fig-faint": "#c9ced6",
    "fig-grey": "#77808c",
    "fig-known": "#0072b2",
    "fig-unknown": "#d55e00",
    "fig-high": "#0b4f94",
    "fig-maybe": "#4a94d0",
    "fig-weak": "#a9cfec",
    "fig-id": "#009e73",
    "fig-ood": "#cc79a7",
    "fig-fifth": "#e69f00",
    "fig-sixth": "#56b4e9",
    "fig-early": "#3b82b8",
    "fig-conv": "#b23a3a",
}
INK, FAINT, GREY, KNOWN, UNKNOWN = list(PALETTE.values())[:5]
# Colours for lines that have none of their own, one per line.
SERIES = [PALETTE[f"fig-{name}"] for name in ("known", "unknown", "id", "ood", "fifth", "sixth")]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
WIDTH, POINT = 5.0, 1 / 72  # inches
STYLE = {
    "svg.fonttype": "none",
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.linewidth": 0.7,
    "grid.linewidth": 0.6,
    "grid.color": FAINT,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    **{
        key: INK
        for key in (
            "text.color",
            "axes.labelcolor",
            "axes.titlecolor",
            "xtick.color",
            "ytick.color",
        )
    },
    "axes.edgecolor": GREY,
}
SVG = "http://www.w3.org/2000/svg"


Panel = TypeVar("Panel")


class Drawing:
    """A matplotlib figure 360 units wide, each mark of which has a description."""

    def __init__(self, height: float, rows: int = 1, columns: int = 1, **options):
        self.figure = Figure(figsize=(WIDTH, height), layout="constrained")
        self.axes = self.figure.subplots(rows, columns, squeeze=False, **options)
        self.titles: list[str] = []

    def mark(self, artist, text: str) -> None:
        """Make `artist` a mark: `text` is shown on hover and read out by screen readers."""
        artist.set_gid(f"mark-{len(self.titles)}")
        self.titles.append(text)

    def dot(self, ax: Axes, x, y, low, high, text: str, upright: bool = True, **style) -> None:
        """A point with its interval; `upright`: the interval is along y."""
        if pd.notna(low) and pd.notna(high):
            ends = ([x, x], [low, high]) if upright else ([low, high], [y, y])
            ax.plot(*ends, color=style["color"], linewidth=1.2, solid_capstyle="butt")
        self.mark(ax.plot([x], [y], linestyle="", **style)[0], text)

    def line(self, ax: Axes, x, rows: pd.DataFrame, text: Callable, **style) -> None:
        """A thin line through rows with value, low and high, with a dot at each; `text`
        describes a row.
        """
        ax.plot(x, rows.value, color=style["color"], linewidth=1.2, alpha=0.7)
        for at, row in zip(x, rows.itertuples(), strict=True):
            self.dot(ax, at, row.value, row.low, row.high, text(row), **style)

    def legend(self, handles: list, columns: int) -> None:
        self.figure.legend(
            handles=handles,
            loc="outside upper left",
            ncols=columns,
            handlelength=1.4,
            columnspacing=1.1,
            handletextpad=0.5,
            borderaxespad=0.2,
        )

    def svg(self, name: str, title: str, ground: str = "none") -> str:
        """The figure as SVG text: deterministic, no metadata, ids unique across figures.

        ground: the colour behind it, for a page that brings none of its own.
        """
        stream = io.StringIO()
        with matplotlib.rc_context({"svg.hashsalt": name}):
            self.figure.savefig(stream, format="svg", facecolor=ground, metadata={"Date": None})
        ET.register_namespace("", SVG)
        ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
        root = ET.fromstring(stream.getvalue())
        for metadata in root.findall(f"{{{SVG}}}metadata"):
            root.remove(metadata)
        text = ET.tostring(root, encoding="unicode")
        used = list(dict.fromkeys(re.findall(r'(?:url\(|href=")#([^)"]+)', text)))
        for element in root.iter():
            key = element.get("id", "")
            if key.startswith("mark-"):
                element.set("class", "mark")
                ET.SubElement(element, f"{{{SVG}}}title").text = self.titles[int(key[5:])]
                element.insert(0, element[-1])
                del element[-1]
            if key and key not in used:
                del element.attrib["id"]
        for attribute in ("width", "height"):
            root.set(attribute, root.get(attribute, "").removesuffix("pt"))
        root.set("role", "img")
        root.set("aria-label", title)
        head = ET.Element(f"{{{SVG}}}title")
        head.text = title
        root.insert(0, head)
        text = ET.tostring(root, encoding="unicode")
        # Matplotlib's ids are hashes of positions, whose last digit the layout's solver does not
        # determine.
        for place, key in enumerate(used):
            text = re.sub(rf'(id="|#){re.escape(key)}(?=["\)])', rf"\g<1>{name}-{place}", text)
        return text.replace("'DejaVu Sans'", FONT) + "\n"


def two_across(
    groups: Sequence[Sequence[Panel]], head: float, each: float, **options
) -> tuple[Drawing, list[tuple[Axes, Panel]]]:
    """Panels, two side by side; each group starts a new line. Also returns each panel's axes.

    head, each: height in points of legend and labels, and of one line of panels.
    """
    places: list[Panel | None] = []
    for group in groups:
        places += [*group, *[None] * (len(group) % 2)]
    rows = len(places) // 2
    drawing = Drawing((head + each * rows) * POINT, rows, 2, **options)
    drawn = []
    for place, (ax, panel) in enumerate(zip(drawing.axes.flat, places, strict=True)):
        if panel is None:
            ax.set_visible(False)
            drawing.axes.flat[max(place - 2, 0)].tick_params(labelbottom=True)
        else:
            drawn.append((ax, panel))
    return drawing, drawn


def percent_text(value: float) -> str:
    return f"{100 * value:.1f} %"


def described(row) -> str:
    """A row of `over_seeds` in words."""
    interval = (
        ""
        if pd.isna(row.low)
        else f", 95 % interval {100 * row.low:.1f} to {percent_text(row.high)}"
    )
    seeds = f", mean of {row.seeds} seeds" if row.seeds > 1 else ""
    return f"{percent_text(row.value)}{interval}{seeds}, n = {row.n:.0f}"


def percent_axis(ax: Axes, axis: str) -> None:
    """Label `xaxis` or `yaxis`, whose values are fractions, in percent."""
    getattr(ax, axis).set_major_formatter(lambda value, _: f"{round(100 * value, 1):g} %")


def titled(several: bool, model: str, text: str) -> str:
    """A panel's title, with the model above it if there are several."""
    return f"{model}\n{text}" if several else text
