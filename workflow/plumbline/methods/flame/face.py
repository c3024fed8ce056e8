"""FLAME's face."""

from __future__ import annotations

from pydantic import Field

from plumbline.methods.flame.config import Flame
from plumbline.methods.flame.contrasts import contrasts
from plumbline.methods.flame.tunings import check, tunings
from plumbline.methods.method import Method

FLAME = Method(
    name="flame",
    label="FLAME",
    sections={"flame": (Flame | None, Field(None, description="FLAME's trainings; null: none."))},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
)
