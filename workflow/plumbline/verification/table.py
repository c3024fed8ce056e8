"""Checking claims against structured facts, by rules.

A claim is read once for every relation: names of the relation's subjects and of its kind of object
are found (longest first), the subject's name becomes SUBJ and the objects' become OBJ, and the
relation's cue patterns say whether the sentence is about it. A claim is supported if its objects are
accepted answers and the facts account for all its words: one that says more, such as a second place,
a number or "the largest", is unverifiable, even if part of it is right. Another object in the answer's
place refutes it if the form of the sentence leaves no doubt. All other claims are unverifiable, and
the state says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from plumbline.claims.records import Claim, Verdict
from plumbline.records import Question
from plumbline.verification.cues import CUES, NEGATED, PAST, PLAIN, PRONOUN, Tier
from plumbline.verification.known_facts import Knowledge, KnownFact, Thing, agrees, contradicts
from plumbline.verification.statements import KINDS
from plumbline.verification.words import Mention, Text, part_of_longer

# Why a claim is unverifiable; of several reasons, the last in this order is given.
STATES = (
    "no subject",  # it names nobody and nothing the tables know
    "no relation",  # it says nothing about the subject that the tables know
    "no object",  # it names nothing of the kind the relation asks for
    "not excluded",  # another object, which may be true beside the listed one
    "several subjects",  # readings for different subjects disagree
    "qualified",  # negated, or about the past
    "says more",  # what the tables know is right, but it says something besides
)

_ASIDE = re.compile(r"(?<=\w) \([^()]*\d[^()]*\)")  # years and the like, after a name


@dataclass(frozen=True)
class Reading:
    """A claim as read for one relation."""

    tier: Tier
    outcome: str  # supported, refuted, or one of STATES
    fact: KnownFact
    found: tuple[str, ...]
    explained: frozenset[int]  # indices of the words that it accounts for
    alone: bool = False  # holds only if the claim says nothing else than its readings account for

    def evidence(self) -> dict:
        """The fact and the names found in its object's place, as kept in a verdict."""
        return {
            "relation": self.fact.relation,
            "subject": self.fact.subject,
            "answers": list(self.fact.answers),
            "found": list(self.found),
        }


class TableVerifier:
    """Verdicts from the facts of a run's questions (relation, subject, accepted answers)."""

    def __init__(self, questions: Iterable[Question]):
        self._known = Knowledge(questions)

    def verify(self, claims: Iterable[Claim]) -> list[Verdict]:
        """A verdict for each claim, in order."""
        return [self._verdict(claim) for claim in claims]

    def _verdict(self, claim: Claim) -> Verdict:
        text, topic = Text(_ASIDE.sub(" ", claim.text)), Text(claim.topic)
        readings: list[Reading] = []
        states = ["no subject"]
        asked = claim.asked
        for relation in self._known.names:
            if asked and asked.relation != relation:
                continue
            read, state = self._read(relation, text, topic)
            readings += [
                reading for reading in read if not asked or reading.fact.subject == asked.subject
            ]
            states.append(state)
        decided = _decided(text, readings)
        # "refuted" comes before "supported": one false part makes a claim false.
        verdict = min((reading.outcome for reading in decided), default="unverifiable")
        state, told = "ok", decided
        if verdict == "supported" and _unexplained(text, decided):
            verdict, state = "unverifiable", "says more"
        elif not decided:
            states += ["not excluded" for reading in readings if reading.alone]
            state = max(states, key=STATES.index)
            told = [r for r in readings if r.outcome == state or r.alone]
        return Verdict(
            claim=claim.id,
            response=claim.response,
            verdict=verdict,
            state=state,
            evidence=[reading.evidence() for reading in told],
            verifier="table",
        )

    def _read(self, relation: str, text: Text, topic: Text) -> tuple[list[Reading], str]:
        """The readings of a claim that count, and the state it would have without others."""
        mentions = self._known.names[relation].find(text)
        places = self._subjects(relation, text, topic, mentions)
        if not places:
            return [], "no subject"
        readings = [
            reading
            for place, fact in places
            if (reading := _compare(fact, place, text, mentions)) is not None
        ]
        if not readings:
            return [], "no relation"
        best = min(reading.tier for reading in readings)
        readings = [reading for reading in readings if reading.tier == best]
        outcome = readings[0].outcome
        if any(reading.outcome != outcome for reading in readings):
            return [], "several subjects"
        return readings[:1], outcome if outcome in STATES else "no object"

    def _subjects(
        self, relation: str, text: Text, topic: Text, mentions: list[Mention]
    ) -> list[tuple[Mention, KnownFact]]:
        """Where the subject may be, and its fact: the topic's, if the topic is meant."""
        whole = [m for m in mentions if not part_of_longer(text, m, mentions)]
        subjects = [
            (mention, fact)
            for mention in whole
            for fact in _facts(mention)
            # Venezuela is also a town in Cuba.
            if KINDS[relation][0] != "city"
            or not any(contradicts(thing, fact) for thing in _things(mention))
        ]
        named = self._known.names[relation].find(topic)
        facts = (
            _facts(named[0]) if named and named[0].start == 0 and named[0].end == len(topic) else []
        )
        if not facts:
            return subjects
        if any(fact == facts[0] for _, fact in subjects):
            return [(mention, fact) for mention, fact in subjects if fact == facts[0]]
        place = _stand_in(relation, text, topic)
        return [(place, facts[0])] if place else subjects


def _facts(mention: Mention) -> list[KnownFact]:
    return [value for value in mention.values if isinstance(value, KnownFact)]


def _things(mention: Mention) -> list[Thing]:
    return [value for value in mention.values if isinstance(value, Thing)]


def _compare(
    fact: KnownFact, place: Mention, text: Text, mentions: list[Mention]
) -> Reading | None:
    """What the sentence says about the fact; None if it is not about the fact's relation."""
    objects = [
        mention
        for mention in mentions
        if _things(mention)
        and not (place.start < mention.end and mention.start < place.end)
        and not part_of_longer(text, mention, mentions)
    ]
    masked = _mask(text, place, objects)
    cues = CUES[fact.relation]
    tier = cues.tier(masked)
    if tier is None:
        return None
    agreeing = [m for m in objects if any(agrees(thing, fact) for thing in _things(m))]
    shown, alone = agreeing, False
    if NEGATED.search(masked) or (cues.past and PAST.search(masked)):
        outcome = "qualified"
    elif agreeing:
        outcome = "supported"
    elif not objects:
        outcome = "no object"
    elif tier <= Tier.CUE and all(contradicts(t, fact) for m in objects for t in _things(m)):
        outcome, shown = "refuted", objects
        alone = tier != Tier.SLOT or not cues.fills_slot(masked)
    else:
        outcome = "not excluded"
    names = tuple(" ".join(text.words[m.start : m.end]) for m in objects)
    cue_words = {at for at, word in enumerate(text.folded) if word in cues.words.split()}
    named = {at for m in (place, *shown) for at in range(m.start, m.end)}
    return Reading(tier, outcome, fact, names, frozenset(cue_words | named), alone)


def _unexplained(text: Text, readings: list[Reading]) -> set[str]:
    """Words of the claim that its readings do not account for."""
    explained = frozenset().union(*(reading.explained for reading in readings))
    return {word for at, word in enumerate(text.folded) if at not in explained} - PLAIN


def _decided(text: Text, readings: list[Reading]) -> list[Reading]:
    """Readings with a decision. Of two about the same objects, the supporting one is right.

    Georgia is a country and a state: "Tbilisi is the capital of Georgia" fits one of them.
    """
    supported = [reading for reading in readings if reading.outcome == "supported"]
    against = [reading for reading in readings if reading.outcome == "refuted"]
    if _unexplained(text, supported + against):
        against = [reading for reading in against if not reading.alone]
    refuted = [
        reading
        for reading in against
        if not any(set(reading.found) <= set(other.found) for other in supported)
    ]
    return refuted + supported


def _stand_in(relation: str, text: Text, topic: Text) -> Mention | None:
    """Where a pronoun, a noun such as "the film" or a person's last name refers to the topic."""
    generic = CUES[relation].generic
    if not text.folded:
        return None
    if PRONOUN.fullmatch(text.folded[0]):
        return Mention(0, 1)
    if text.folded[0] in ("the", "this") and text.folded[1:2] in [(n,) for n in generic.split("|")]:
        return Mention(0, 2)
    last = topic.words[-1]
    person = KINDS[relation][0] == "person"
    if person and len(topic) > 1 and last[0].isupper() and last in text.words:
        return Mention(text.words.index(last), text.words.index(last) + 1)
    return None


def _mask(text: Text, subject: Mention, objects: list[Mention]) -> str:
    starts = {m.start: ("ADJ" if _is_adjective(m) else "OBJ", m.end) for m in objects}
    starts[subject.start] = ("SUBJ", subject.end)
    masked, at = [], 0
    while at < len(text):
        word, at = starts.get(at, (text.folded[at], at + 1))
        masked.append(word)
    return " ".join(masked)


def _is_adjective(mention: Mention) -> bool:
    return all(thing.adjective for thing in _things(mention))
