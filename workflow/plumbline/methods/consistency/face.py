"""The face of self-consistency preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.methods.consistency.config import Consistency
from plumbline.methods.consistency.contrasts import contrasts
from plumbline.methods.consistency.cost import cost
from plumbline.methods.consistency.files import ConsistencyFiles
from plumbline.methods.consistency.report import REPORT
from plumbline.methods.consistency.tunings import check, tunings
from plumbline.methods.method import Method, Use
from plumbline.models.suitability import Chat

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def use(config: Config) -> Use:
    """The form in which questions are asked and trained on; answers are as long as SliCK's."""
    settings = config.consistency
    if settings is None:
        return Use()
    key = "consistency.prompt"
    chat = Chat(key=f"{key}: chat", instead=f"{key}: plain", answered=True)
    return Use(
        form=settings.prompt,
        chats=[chat] if settings.prompt == "chat" else [],
        recipes=[settings.recipe],
    )


def words(variant: str, rest: str) -> str | None:
    """There is only one training, so its variant's label says everything."""
    return variant if rest == "dpo" else None


CONSISTENCY = Method(
    name="consistency",
    label="Self-consistency",
    sections={
        "consistency": (
            Consistency | None,
            Field(None, description="Self-consistency preferences; null: none."),
        )
    },
    check=check,
    tunings=tunings,
    contrasts=contrasts,
    use=use,
    cost=cost,
    words=words,
    files=ConsistencyFiles,
    report=REPORT,
)
