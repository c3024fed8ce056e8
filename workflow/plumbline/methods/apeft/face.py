"""APEFT's face."""

from __future__ import annotations

from pydantic import Field

from plumbline.methods.apeft.config import Apeft
from plumbline.methods.apeft.contrasts import contrasts
from plumbline.methods.apeft.tunings import check, tunings
from plumbline.methods.method import Method

APEFT = Method(
    name="apeft",
    label="APEFT",
    sections={"apeft": (Apeft | None, Field(None, description="APEFT's trainings; null: none."))},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
)
