"""FLAME's face."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field

from plumbline.methods.flame.config import Flame
from plumbline.methods.flame.contrasts import contrasts
from plumbline.methods.flame.cost import cost
from plumbline.methods.flame.files import FlameFiles
from plumbline.methods.flame.report import REPORT
from plumbline.methods.flame.tunings import check, tunings
from plumbline.methods.method import Method, Use
from plumbline.models.suitability import Chat

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


# Parts of the names of checkpoints.
STAGES = {
    "sft": "SFT",
    "dpo": "DPO",
    "facttune": "FactTune",
    "-star": "★",
    "-rag": " (retrieved)",
    "-mc": "-MC",
}
_STAGE = re.compile("|".join(map(re.escape, STAGES)))


def use(config: Config) -> Use:
    """Demonstrations are shown as turns; the second stage's prompts count if there is a
    second stage.
    """
    flame = config.flame
    if flame is None:
        return Use()
    in_chat = flame.prompt == "chat"
    chat = Chat(key="flame.prompt: chat", instead="flame.prompt: plain", shown=True, answered=True)
    return Use(
        form="chat" if in_chat else None,
        chats=[chat] if in_chat else [],
        max_tokens={"flame.max_tokens": flame.max_tokens},
        recipes=[flame.sft_recipe, flame.dpo_recipe] if flame.dpo else [flame.sft_recipe],
        writes_claims=True,
        prompts={"flame.prompts": [*flame.sources(), *(flame.prompts if flame.dpo else [])]},
    )


def stages(rest: str) -> list[str]:
    """`sft-star.dpo-star` as SFT★ and DPO★."""
    return [_STAGE.sub(lambda part: STAGES[part[0]], stage) for stage in rest.split(".")]


def words(variant: str, rest: str) -> str:
    """`sft-star.dpo-star` as `FLAME: SFT★, DPO★`."""
    return f"{variant}: {', '.join(stages(rest))}"


FLAME = Method(
    name="flame",
    label="FLAME",
    sections={"flame": (Flame | None, Field(None, description="FLAME's trainings; null: none."))},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
    use=use,
    cost=cost,
    words=words,
    files=FlameFiles,
    report=REPORT,
)
