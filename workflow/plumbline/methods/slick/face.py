"""SliCK's face: mixes of known and new facts."""

from __future__ import annotations

from plumbline.methods.method import Method
from plumbline.methods.slick.config import Mixes, Slick
from plumbline.methods.slick.contrasts import contrasts
from plumbline.methods.slick.tunings import check, tunings

SLICK = Method(
    name="mix",
    label="mixes",
    sections={"slick": (Slick, Slick()), "mixes": (Mixes, Mixes())},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
)
