"""Facts, the overrides of errata.tsv, and how facts are sampled."""

from __future__ import annotations

import csv
import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FACTS = Path(__file__).parent.parent / "facts"
LARGEST_SHARE = 0.15


@dataclass(frozen=True)
class Fact:
    subject: str
    answers: list[str]
    popularity: int | None = None


@cache
def errata(table: str) -> dict[str, list[str]]:
    with (FACTS / "errata.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        r["key"]: r["answers"].split("|") * bool(r["answers"]) for r in rows if r["table"] == table
    }


# Letters and quotes that Unicode does not decompose.
PLAIN = str.maketrans(
    {"Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ß": "ss", "ı": "i"}
    | {"Æ": "Ae", "æ": "ae", "Œ": "Oe", "œ": "oe", "ʻ": "'", "’": "'", "‘": "'", "–": "-"}
)


def to_ascii(text: str) -> str:
    """Without accents: "São Tomé" → "Sao Tome"."""
    text = unicodedata.normalize("NFKD", text.translate(PLAIN))
    return text.encode("ascii", "ignore").decode()


def fold(text: str) -> str:
    return to_ascii(text).casefold()


def accepted(*names: str) -> list[str]:
    """The names and their forms without accents, without repetition."""
    forms = [form for name in names for form in (name, to_ascii(name))]
    return list(dict.fromkeys(form for form in forms if form))


def by_hash(facts: Iterable[Fact]) -> list[Fact]:
    """A fixed order that is unrelated to the facts, in place of a random one with a seed."""
    return sorted(facts, key=lambda fact: hashlib.sha256(fact.subject.encode()).digest())


def by_popularity(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (-(fact.popularity or 0), fact.subject))


def pick(facts: list[Fact], count: int, share: float = LARGEST_SHARE) -> list[Fact]:
    """The first `count` facts, at most `share` of them with the same canonical answer."""
    while True:
        count = min(count, len(facts))
        seen: Counter = Counter()
        kept = []
        for fact in facts:
            if seen[fact.answers[0]] < max(1, int(share * count)) and len(kept) < count:
                seen[fact.answers[0]] += 1
                kept.append(fact)
        if len(kept) == count:
            return kept
        facts, count = kept, len(kept)


def head_and_any(facts: list[Fact], count: int) -> list[Fact]:
    """Half from the best known, half from the others; for a pool in which most are little known."""
    half = pick(by_popularity(facts), count // 2)
    chosen = {fact.subject for fact in half}
    rest = by_hash(fact for fact in facts if fact.subject not in chosen)
    return pick(half + rest, count)


# By relation, subjects that are left out because their names mean more than one thing.
AMBIGUOUS: dict[str, set[str]] = defaultdict(set)


def named_twice(names: Iterable[str], *relations: str) -> set[str]:
    """The folded names that occur twice, ignoring accents and case; recorded for the relations."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for name in names:
        spellings[fold(name)].append(name)
    twice = {name: same[0] for name, same in spellings.items() if len(same) > 1}
    for relation in relations:
        AMBIGUOUS[relation].update(twice.values())
    return set(twice)


def unambiguous(facts: list[Fact], relation: str) -> list[Fact]:
    """The facts whose subject occurs only once."""
    twice = named_twice((fact.subject for fact in facts), relation)
    return [fact for fact in facts if fold(fact.subject) not in twice]
