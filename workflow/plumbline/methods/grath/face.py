"""GRATH's face."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.methods.grath.config import Grath
from plumbline.methods.grath.contrasts import contrasts
from plumbline.methods.grath.cost import cost
from plumbline.methods.grath.files import GrathFiles
from plumbline.methods.grath.report import REPORT
from plumbline.methods.grath.tunings import check, tunings
from plumbline.methods.method import Method, Use
from plumbline.models.suitability import Chat

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def use(config: Config) -> Use:
    """Needs a chat template, unless pairs are asked for and trained on in the paper's own tags.

    It tunes in no form of closed-book questions, but on sentences, which exact match does not read.
    """
    grath = config.grath
    if grath is None:
        return Use()
    in_chat = grath.legacy_prompt is None
    key, instead = "grath.legacy_prompt: null", "grath.legacy_prompt: llama2 or zephyr"
    return Use(
        chats=[Chat(key=key, instead=instead, shown=True, answered=True)] if in_chat else [],
        max_tokens={"grath.max_tokens": grath.max_tokens},
        recipes=[grath.recipe],
    )


ROUND = re.compile(r"r(\d+)")


def words(variant: str, rest: str) -> str | None:
    """`r1` as `GRATH, round 1`."""
    number = ROUND.fullmatch(rest)
    return f"{variant}, round {number[1]}" if number else None


GRATH = Method(
    name="grath",
    label="GRATH",
    sections={"grath": (Grath | None, Field(None, description="GRATH's rounds; null: none."))},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
    use=use,
    cost=cost,
    words=words,
    files=GrathFiles,
    report=REPORT,
)
