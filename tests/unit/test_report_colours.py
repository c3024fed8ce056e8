"""Colours that stand for different things in one figure are told apart by everybody."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from plumbline.methods.slick.figures import SHADES, STOP_COLOURS
from plumbline.report import page
from plumbline.report.drawing import PALETTE, SERIES
from plumbline.report.figures import DOMAIN_COLOURS
from plumbline.report.shift_figures import FILLS

STYLE = (Path(page.__file__).parent / "style.css").read_text(encoding="utf-8")
LEAST = 15  # CIE76; what is just noticed side by side is about 2
# Machado, Oliveira and Fernandes 2009, complete deficiencies, on linear RGB.
SEEN = {
    "all cones": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                 [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
NAMES = {colour: name for name, colour in PALETTE.items()}
TOGETHER = {
    "lines": [NAMES[colour] for colour in SERIES],
    "categories": [NAMES[colour] for colour in SHADES],
    "stops": [NAMES[colour] for colour in STOP_COLOURS.values()],
    "domains": [NAMES[colour] for colour in DOMAIN_COLOURS.values()],
    "shifts": list(FILLS.values()),
    "verdicts": ["up", "down", "ink", "muted"],
}


def schemes() -> dict[str, dict[str, str]]:
    """The page's colours by name, in light and in dark."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.S)[:2]
    found = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))
        for name, text in (("light", light), ("dark", dark))
    }
    light = PALETTE | found["light"]
    return {"light": light, "dark": light | found["dark"]}


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(colour: str, seen: str) -> np.ndarray:
    xyz = XYZ @ np.clip(np.array(SEEN[seen]) @ linear(colour), 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("group", TOGETHER)
def test_colours_of_one_figure_are_told_apart(group, seen, scheme):
    colours = schemes()[scheme]
    for one, other in combinations(TOGETHER[group], 2):
        apart = np.linalg.norm(lab(colours[one], seen) - lab(colours[other], seen))
        assert apart >= LEAST, (one, other, apart)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_are_read_on_their_ground(scheme):
    """A contrast of 4.5 to 1 (WCAG 2.1, 1.4.3)."""
    colours = schemes()[scheme]
    for ground in ("paper", "wash"):
        for name in ("ink", "muted", "link", "up", "down"):
            light, dark = sorted(
                ((XYZ @ linear(colours[key]))[1] for key in (name, ground)), reverse=True
            )
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)
