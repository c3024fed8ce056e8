"""SliCK's face: mixes of known and new facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plumbline.methods.method import Method, Use
from plumbline.methods.slick.config import Mixes, Slick
from plumbline.methods.slick.contrasts import contrasts
from plumbline.methods.slick.cost import cost
from plumbline.methods.slick.tunings import check, tunings
from plumbline.suitability import Chat

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def use(config: Config) -> Use:
    """The base is probed in any case; a form is tuned in where there are mixes."""
    mixes = config.mixes
    trained = bool(mixes.names())
    chat = Chat(key="mixes.prompt: chat", instead="mixes.prompt: plain", answered=True)
    return Use(
        form=mixes.prompt if trained else None,
        chats=[chat] if mixes.prompt == "chat" else [],
        max_tokens={"slick.max_tokens": config.slick.max_tokens},
        recipes=[mixes.recipe] if trained else [],
        overrides={f"mixes.overrides.{name}": keys for name, keys in mixes.overrides.items()},
    )


SLICK = Method(
    name="mix",
    label="mixes",
    sections={"slick": (Slick, Slick()), "mixes": (Mixes, Mixes())},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
    use=use,
    cost=cost,
)
