"""What the study compares, as docs/study/plan.md states it: one row here is one row there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from plumbline.records import KNOWN, Category
from plumbline.study.negation import GROUPS

Rule = Literal["above", "below", "held", "zero", "reached", ""]
CLAIMS = {
    "gekhman": "New facts are fitted later than known ones, and fitting them costs accuracy "
    "(Gekhman et al. 2024)",
    "unknown": "Leaving out what the base does not know helps (all four papers)",
    "apeft": "Atomic preferences beat general ones, in and out of the domain (Yuan et al. 2024)",
    "grath": "Rounds of own pairs raise MC2 on TruthfulQA and keep other abilities "
    "(Chen et al. 2024)",
    "flame": "Factuality-aware SFT and DPO make long answers more precise (Lin et al. 2024)",
}  # what each says
PRIMARY, CONTROL, SECONDARY = "primary", "control", "secondary"
EXPLORATORY = "exploratory"  # thought of after results were seen
FIT, AREA, LAST = "fit", "area", "last"  # of a training question: see `pieces.fit_values`
SHIFT, SHIFTED = "token_shift", "shifted"
KNOWN_ONES = "Known questions"
MARGIN = 0.05  # of what is to be held
FITTED = 0.95  # of what is to be reached


@dataclass(frozen=True)
class Side:
    """Items of a checkpoint: of a domain, and of some categories of what the base knows, or groups of
    questions (else all).
    """

    checkpoint: str
    domain: str = "id"
    categories: tuple[str, ...] = ()

    @property
    def items(self) -> tuple:
        """What says which items these are."""
        return self.domain, self.categories


@dataclass(frozen=True)
class StudyContrast:
    """`first` minus `second` by one metric of one task; without a second the mean of the first.

    Two sides of the same items are compared item by item, other ones as two groups. claim: what it
    decides about; piece: whose data it is computed from.
    """

    claim: str
    role: Literal["primary", "control", "secondary", "exploratory"]
    name: str
    first: Side
    second: Side | None
    task: str
    metric: str
    rule: Rule = ""
    from_piece: str = ""

    @property
    def piece(self) -> str:
        return self.from_piece or self.claim


def contrasts() -> list[StudyContrast]:
    """All of them, claim by claim in the plan's order."""
    return [*_gekhman(), *_unknown(), *_apeft(), *_grath(), *_flame()]


def _pairs(
    claim: str,
    role: str,
    name: str,
    sides: tuple[str, str],
    places: Sequence[tuple],
    rule: Rule = "",
) -> Iterator[StudyContrast]:
    """Two checkpoints at several places: task, metric, domain and, if not all, categories."""
    for task, metric, domain, *categories in places:
        first, second = (Side(side, domain, *categories) for side in sides)
        yield StudyContrast(claim, role, name, first, second, task, metric, rule)


def _gekhman() -> Iterator[StudyContrast]:
    half = "mix.unknown-50"
    known, unknown = Side(half, "id", KNOWN), Side(half, "id", (Category.UNKNOWN,))
    yield StudyContrast(
        "gekhman", PRIMARY, "Known - Unknown, fitted in D_50", known, unknown, FIT, AREA, "above"
    )
    ends = {percent: f"mix.unknown-{percent}.convergence" for percent in (0, 50, 100)}
    on_known = ("closed_book_plain", "em", "id", KNOWN)
    most = ends[100], ends[0]
    yield from _pairs("gekhman", PRIMARY, f"D_100 - D_0, {KNOWN_ONES}", most, [on_known], "below")
    everything = Side("mix.unknown-100", "id", (Category.UNKNOWN,))
    yield StudyContrast(
        "gekhman", CONTROL, "Unknown of D_100 is fitted", everything, None, FIT, LAST, "reached"
    )
    yield from _pairs(
        "gekhman", SECONDARY, f"D_50 - D_0, {KNOWN_ONES}", (ends[50], ends[0]), [on_known]
    )
    places = [("closed_book_plain", "em", "id"), ("closed_book_plain", "em", "ood")]
    places.append(("closed_book", "em", "id"))
    yield from _pairs("gekhman", SECONDARY, "D_100 - D_0, all questions", most, places)
    stops = "mix.unknown-100.early_stop", ends[100]
    yield from _pairs(
        "gekhman", SECONDARY, f"early stop - convergence, D_100, {KNOWN_ONES}", stops, [on_known]
    )


def _unknown() -> Iterator[StudyContrast]:
    sides, name = ("flame-unknown-0.sft", "flame.sft"), "without - with Unknown, SFT"
    precision = ("long_form", "precision", "id")
    yield from _pairs("unknown", PRIMARY, name, sides, [precision], "above")
    first, second = (Side(f"mix.{mix}-50.convergence", "id", KNOWN) for mix in ("known", "unknown"))
    yield StudyContrast(
        "unknown", PRIMARY, f"D_50 without Unknown - D_50, {KNOWN_ONES}", first, second,
        "closed_book_plain", "em", "above", "gekhman",
    )  # fmt: skip
    places = [("long_form", "supported", "id"), ("long_form", "words", "id")]
    yield from _pairs("unknown", SECONDARY, name, sides, [*places, ("closed_book", "em", "id")])


def _apeft() -> Iterator[StudyContrast]:
    atomic, general = "apeft.atomic-100.sigmoid", "apeft.atomic-0.sigmoid"
    chat = [("closed_book_chat", "em", domain) for domain in ("id", "ood")]
    others = [(*one, domain) for one in (("facts", "mc1"), ("long_form", "f1"))
              for domain in ("id", "ood")]  # fmt: skip
    yield from _pairs("apeft", PRIMARY, "atomic - general", (atomic, general), chat, "above")
    placebo = f"{atomic}.placebo", "base"
    yield from _pairs("apeft", CONTROL, "placebo - base", placebo, chat, "zero")
    yield from _pairs("apeft", SECONDARY, "atomic - general", (atomic, general), others)
    for name, side in (("atomic - base", atomic), ("general - base", general)):
        yield from _pairs("apeft", SECONDARY, name, (side, "base"), [*chat, *others])
    outside, inside = Side(atomic, "ood"), Side(atomic, "id")
    yield StudyContrast(
        "apeft", SECONDARY, "outside - inside of the domain", outside, inside, SHIFT, SHIFTED
    )


def _grath() -> Iterator[StudyContrast]:
    mc2, rounds = ("truthfulqa", "mc2", "ood"), ("grath.r2", "base")
    yield from _pairs("grath", PRIMARY, "round 2 - base", rounds, [mc2], "above")
    held = ("openbookqa", "acc", "ood")
    yield from _pairs("grath", PRIMARY, "round 2 - base", rounds, [held], "held")
    placebo = "grath.r2.placebo", "grath.r1"
    yield from _pairs("grath", CONTROL, "placebo - round 1", placebo, [mc2], "zero")
    places = [("truthfulqa", "mc1", "ood"), ("arc", "acc", "ood")]
    both = (("facts", "mc2"), ("closed_book", "em"))
    places += [(*one, domain) for one in both for domain in ("id", "ood")]
    yield from _pairs("grath", SECONDARY, "round 2 - base", rounds, places)
    yield from _pairs("grath", SECONDARY, "round 1 - base", ("grath.r1", "base"), [mc2])
    yield from _pairs("grath", SECONDARY, "round 2 - round 1", ("grath.r2", "grath.r1"), [mc2])
    for group in GROUPS.values():
        place = (*mc2, (group,))
        yield from _pairs("grath", EXPLORATORY, f"round 2 - base, {group}", rounds, [place])


def _flame() -> Iterator[StudyContrast]:
    both, precision = ("flame.sft-star.dpo-star", "flame.sft.dpo"), ("long_form", "precision", "id")
    yield from _pairs("flame", PRIMARY, "SFT* + DPO* - SFT + DPO", both, [precision], "above")
    placebo = "flame.sft-star.dpo-star.placebo", "flame.sft-star"
    yield from _pairs("flame", CONTROL, "placebo - SFT*", placebo, [precision], "zero")
    first = "flame.sft-star", "flame.sft"
    yield from _pairs("flame", SECONDARY, "SFT* - SFT", first, [precision])
    measures = ("supported", "decided", "words", "responded")
    places = [("long_form", "precision", "ood"), *(("long_form", one, "id") for one in measures)]
    places.append(("win_rate", "win", "ood"))
    yield from _pairs("flame", SECONDARY, "SFT* + DPO* - SFT + DPO", both, places)
