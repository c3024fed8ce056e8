"""SliCK's face: mixes of known and new facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plumbline.methods.method import Method, Use
from plumbline.methods.slick.config import Mixes, Slick
from plumbline.methods.slick.contrasts import contrasts
from plumbline.methods.slick.cost import cost
from plumbline.methods.slick.files import SlickFiles
from plumbline.methods.slick.report import REPORT
from plumbline.methods.slick.tunings import check, tunings
from plumbline.models.suitability import Chat
from plumbline.names import FORM_SET, STOPS

if TYPE_CHECKING:
    from plumbline.experiment.config import Config


def use(config: Config) -> Use:
    """The base is always probed; mixes, if there are any, are tuned in a form."""
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


def words(variant: str, rest: str) -> str | None:
    """`unknown-50.early_stop` as `unknown-50, early stop`."""
    if rest == FORM_SET:
        return "form only"
    mix, _, stop = rest.rpartition(".")
    return f"{mix}, {STOPS[stop]}" if mix and stop in STOPS else None


def rank(rest: str) -> int:
    """First what the mixes start from, then mixes by their share of Unknown, then other mixes."""
    return 0 if rest == FORM_SET else 1 if rest.startswith("unknown-") else 2


SLICK = Method(
    name="mix",
    label="SliCK",
    sections={"slick": (Slick, Slick()), "mixes": (Mixes, Mixes())},
    check=check,
    tunings=tunings,
    contrasts=contrasts,
    use=use,
    cost=cost,
    words=words,
    rank=rank,
    files=SlickFiles,
    report=REPORT,
)
