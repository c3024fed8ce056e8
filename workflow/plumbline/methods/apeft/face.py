"""APEFT's face."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.methods.apeft.config import Apeft
from plumbline.methods.apeft.contrasts import contrasts
from plumbline.methods.apeft.cost import cost
from plumbline.methods.apeft.files import ApeftFiles
from plumbline.methods.apeft.report import REPORT
from plumbline.methods.apeft.tunings import check, tunings
from plumbline.methods.method import Method, Use
from plumbline.models.suitability import Chat

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


ATOMIC = re.compile(r"atomic-(?P<percent>\d+(?:\.\d+)?)(?:\.(?P<loss>\w+))?")


def use(config: Config) -> Use:
    """Long responses, answers to single questions, and trainings under each loss."""
    apeft = config.apeft
    if apeft is None:
        return Use()
    in_chat = apeft.prompt == "chat"
    chat = Chat(key="apeft.prompt: chat", instead="apeft.prompt: plain", answered=True)
    return Use(
        form="chat" if in_chat else None,
        chats=[chat] if in_chat else [],
        max_tokens={"apeft.max_tokens": apeft.max_tokens},
        recipes=[apeft.recipe],
        overrides={f"apeft.overrides.{loss}": keys for loss, keys in apeft.overrides.items()},
        writes_claims=True,
        prompts={"apeft.prompts": apeft.prompts},
    )


def words(variant: str, rest: str) -> str | None:
    """`atomic-50.sigmoid` as `APEFT: 50 % atomic, sigmoid`; without the loss for a training file."""
    share = ATOMIC.fullmatch(rest)
    if share is None:
        return None
    loss = f", {share['loss']}" if share["loss"] else ""
    return f"{variant}: {share['percent']} % atomic{loss}"


APEFT = Method(
    name="apeft",
    label="APEFT",
    sections={"apeft": (Apeft | None, Field(None, description="APEFT's trainings; null: none."))},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
    use=use,
    cost=cost,
    words=words,
    files=ApeftFiles,
    report=REPORT,
)
