"""Facts as sentences: wordings of our own for every relation of the included tables.

A fact is (subject, relation, object), like a `Question`'s subject, relation and first answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from plumbline.records import Question
from plumbline.storage.files import InputError

# What the subject and the object of a relation are.
KINDS: dict[str, tuple[str, str]] = {
    "country_capital": ("country", "city"),
    "country_continent": ("country", "continent"),
    "country_language": ("country", "language"),
    "country_currency": ("country", "currency"),
    "city_country": ("city", "country"),
    "us_city_state": ("city", "us_state"),
    "us_state_capital": ("us_state", "city"),
    "airport_city": ("airport", "city"),
    "element_symbol": ("element", "symbol"),
    "element_number": ("element", "number"),
    "person_country": ("person", "country"),
    "person_profession": ("person", "profession"),
    "film_director": ("film", "person"),
    "film_language": ("film", "language"),
    "film_country": ("film", "country"),
    "deity_mythology": ("deity", "mythology"),
}

STATEMENTS: dict[str, tuple[str, ...]] = {
    "country_capital": (
        "The capital of {subject} is {object}.",
        "{object} is the capital of {subject}.",
        "{subject} has its capital in {object}.",
        "{object} is the capital city of {subject}.",
    ),
    "country_continent": (
        "{subject} is a country in {object}.",
        "{subject} lies on the continent of {object}.",
        "The continent that {subject} is on is {object}.",
        "{subject} is located in {object}.",
    ),
    "country_language": (
        "The official language of {subject} is {object}.",
        "{object} is the official language of {subject}.",
        "{subject} has {object} as its official language.",
    ),
    "country_currency": (
        "The currency of {subject} is the {object}.",
        "The {object} is the currency of {subject}.",
        "{subject} uses the {object} as its currency.",
        "People in {subject} pay with the {object}.",
    ),
    "city_country": (
        "{subject} is a city in {object}.",
        "The city of {subject} is in {object}.",
        "{subject} is located in {object}.",
        "The country in which {subject} lies is {object}.",
    ),
    "us_city_state": (
        "{subject} is a city in the US state of {object}.",
        "{subject} is located in {object}.",
        "The US state that {subject} lies in is {object}.",
    ),
    "us_state_capital": (
        "The capital of the US state of {subject} is {object}.",
        "{object} is the capital of {subject}.",
        "{subject} has its state capital in {object}.",
    ),
    "airport_city": (
        "{subject} serves the city of {object}.",
        "The city served by {subject} is {object}.",
        "{object} is served by {subject}.",
    ),
    "element_symbol": (
        "The chemical symbol of {subject} is {object}.",
        "{object} is the chemical symbol of {subject}.",
        "The element {subject} has the symbol {object}.",
    ),
    "element_number": (
        "The atomic number of {subject} is {object}.",
        "{subject} is the element with the atomic number {object}.",
        "The element {subject} has atomic number {object}.",
    ),
    "person_country": (
        "{subject} was from {object}.",
        "{subject} came from {object}.",
        "The country {subject} came from is {object}.",
    ),
    "person_profession": (
        "{subject} was {an_object}.",
        "{subject} worked as {an_object}.",
        "The profession of {subject} was {object}.",
    ),
    "film_director": (
        "The film {subject} was directed by {object}.",
        "{object} directed the film {subject}.",
        "{object} is the director of {subject}.",
        "The director of {subject} is {object}.",
    ),
    "film_language": (
        "The original language of the film {subject} is {object}.",
        "The film {subject} was made in {object}.",
        "{object} is the original language of {subject}.",
    ),
    "film_country": (
        "The film {subject} was made in {object}.",
        "{subject} is a film from {object}.",
        "The country in which the film {subject} was made is {object}.",
    ),
    "deity_mythology": (
        "{subject} is a deity of {object} mythology.",
        "In {object} mythology, {subject} is a deity.",
        "{subject} belongs to {object} mythology.",
    ),
}

_WITH_THE = re.compile(
    r"(?:United |Republic |Democratic Republic |Central African |Dominican Republic|Soviet Union|"
    r"Czech Republic|Netherlands|Philippines|Bahamas|Gambia|Maldives|Seychelles|Comoros|.* Islands$)"
)
_SOUNDS_AS_CONSONANT = re.compile(r"(?:uni|us|uk|eu|one)", re.IGNORECASE)


def render(relation: str, subject: str, object_: str, template: str | None = None) -> str:
    """A fact as a sentence; `template` is the relation's first wording unless given.

    A template contains {subject} and {object}, or {an_object} for the object with its article.
    Countries get "the" where English requires it. InputError for a relation without wordings.
    """
    if template is None:
        template = wordings(relation)[0]
    kinds = KINDS.get(relation, ("", ""))
    subject, object_ = _named(subject, kinds[0]), _named(object_, kinds[1])
    vowel = object_[:1].lower() in "aeiou" and not _SOUNDS_AS_CONSONANT.match(object_)
    an_object = f"{'an' if vowel else 'a'} {object_}"
    return as_sentence(template.format(subject=subject, object=object_, an_object=an_object))


def as_sentence(text: str) -> str:
    """With a capital if it begins with a word; a name such as eXistenZ keeps its small letter."""
    begins_with_word = re.match(r"[a-z]+\b", text)
    return text[0].upper() + text[1:] if begins_with_word else text


def named(relation: str, object_: str) -> str:
    """An object of the relation as in running text: with "the" before some countries."""
    return _named(object_, KINDS.get(relation, ("", ""))[1])


def wordings(relation: str) -> tuple[str, ...]:
    """The templates of a relation. InputError names the relations that have some."""
    try:
        return STATEMENTS[relation]
    except KeyError:
        raise InputError(
            f"relation {relation!r} has no wordings; there are some for: {', '.join(STATEMENTS)}."
        ) from None


def sentences(questions: Iterable[Question]) -> Iterator[tuple[Question, str]]:
    """Each question's fact in its relation's first wording; relations without one are left out."""
    for question in questions:
        if question.relation in STATEMENTS:
            yield question, render(question.relation, question.subject, question.answers[0])


def _named(name: str, kind: str) -> str:
    return f"the {name}" if kind == "country" and _WITH_THE.match(name) else name
