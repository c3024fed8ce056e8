"""The facts of a run, as names that can be found in a claim."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from plumbline.records import Question
from plumbline.storage.files import InputError
from plumbline.texts.text import fold
from plumbline.verification import professions
from plumbline.verification.cues import CUES
from plumbline.verification.nations import (
    ADJECTIVES,
    CONTINENT_ADJECTIVES,
    NOT_A_COUNTRY,
    PART_OF,
)
from plumbline.verification.statements import KINDS
from plumbline.verification.words import Names

log = logging.getLogger("plumbline")


@dataclass(frozen=True)
class KnownFact:
    """What the tables say about a subject; `things` are the answers, folded."""

    relation: str
    subject: str
    answers: tuple[str, ...]
    things: frozenset[str]


@dataclass(frozen=True)
class Thing:
    """An object of a relation, by its folded name; a country also by its adjective."""

    name: str
    adjective: bool = False


DECOY = None  # the value of a longer name that contains a name but means something else
_SPELLINGS = {"aluminum": "aluminium", "cesium": "caesium", "sulfur": "sulphur"}
_PART_OF = {fold(part): fold(whole) for part, whole in PART_OF.items()}


class Knowledge:
    """Names of the subjects and objects of each relation that has cue patterns.

    Facts of other relations are left out, with a log message; InputError if none is left.
    """

    def __init__(self, questions: Iterable[Question]):
        self._facts: dict[str, list[KnownFact]] = defaultdict(list)
        # All objects of a kind, from every relation: a capital is a city, too.
        self._kinds: dict[str, dict[str, None]] = defaultdict(dict)
        self._countries: dict[str, list[str]] = {}
        left_out: Counter = Counter()
        for question in questions:
            relation = question.relation
            if relation not in CUES:
                left_out[relation] += 1
                continue
            subject_kind, kind = KINDS[relation]
            answers = tuple(a for a in question.answers if fold(a) not in professions.TOO_WIDE)
            things = frozenset(map(fold, answers))
            self._facts[relation].append(KnownFact(relation, question.subject, answers, things))
            self._kinds[subject_kind][question.subject] = None
            self._kinds[kind].update(dict.fromkeys(answers))
            if kind == "country":  # further answers are other names of the first
                self._countries[answers[0]] = list(answers)
        if left_out:
            log.warning(
                f"{left_out.total():,} facts are not used to check claims: there are no cue "
                f"patterns for {', '.join(sorted(left_out))}."
            )
        if not self._facts:
            raise InputError(
                f"no fact that claims can be checked against; expected questions of some of the "
                f"relations {', '.join(CUES)}."
            )
        self.names = {relation: self._names_of(relation) for relation in self._facts}

    def _names_of(self, relation: str) -> Names:
        """Names of the relation's subjects (values: Fact) and of its kind of object (Thing)."""
        subject_kind, kind = KINDS[relation]
        names = Names()
        for fact in self._facts[relation]:
            names.add(fact.subject, fact)
            if subject_kind == "country":
                names.update(self._countries.get(fact.subject, [])[1:], fact)
            if fact.subject in _SPELLINGS:
                names.add(_SPELLINGS[fact.subject], fact)
        for written in self._kinds[kind]:
            thing = Thing(fold(written))
            for form in _forms(written, kind):
                names.add(form, thing, any_case=kind == "currency", exact=kind == "symbol")
            adjectives = {"country": ADJECTIVES, "continent": CONTINENT_ADJECTIVES}.get(kind, {})
            names.update(adjectives.get(written, ()), Thing(thing.name, adjective=True))
        if "country" in (subject_kind, kind):
            names.update(NOT_A_COUNTRY, DECOY)
        return names


def agrees(thing: Thing, fact: KnownFact) -> bool:
    """Whether `thing` is an accepted answer of the fact."""
    return thing.name in fact.things


def contradicts(thing: Thing, fact: KnownFact) -> bool:
    """Whether `thing` in the object's place makes a claim about this fact false."""
    return excludes(fact.relation, thing.name, fact.things)


def excludes(relation: str, name: str, answers: Iterable[str]) -> bool:
    """Whether a name in the object's place is false if `answers` are the accepted ones.

    Besides one profession, another may be true; besides a country, its parts and the whole it is
    part of.
    """
    name, accepted = fold(name), set(map(fold, answers))
    if name in accepted:
        return False
    kind = KINDS.get(relation, ("", ""))[1]
    if kind == "profession":
        return professions.exclude(name, accepted)
    if kind == "country":
        wholes = {_PART_OF.get(answer) for answer in accepted}
        return _PART_OF.get(name) not in accepted and name not in wholes
    return True


def _forms(name: str, kind: str) -> tuple[str, ...]:
    """The forms in which running text names an object."""
    if kind == "number" and name.isdigit():
        ending = {1: "st", 2: "nd", 3: "rd"}.get(int(name) % 10, "th")
        return name, f"{name}{'th' if int(name) % 100 in (11, 12, 13) else ending}"
    if kind == "mythology":
        return (name.removesuffix(" mythology"),)
    return (name,)
