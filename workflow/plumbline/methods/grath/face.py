"""GRATH's face."""

from __future__ import annotations

from pydantic import Field

from plumbline.methods.grath.config import Grath
from plumbline.methods.grath.contrasts import contrasts
from plumbline.methods.grath.tunings import check, tunings
from plumbline.methods.method import Method

GRATH = Method(
    name="grath",
    label="GRATH",
    sections={"grath": (Grath | None, Field(None, description="GRATH's rounds; null: none."))},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
)
