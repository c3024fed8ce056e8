"""Films, from Wikidata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

from fact_builders.common import (
    Fact,
    accepted,
    errata,
    fold,
    head_and_any,
    named_twice,
)
from fact_builders.packages import Sources
from fact_builders.places import country_names


@cache
def films(sources: Sources) -> list[tuple[str, str, str, str, int]]:
    """(title, director, language, country, reviews) of the films whose title no other has."""
    table = sources.database("bokeh-sampledata", "bokeh_sampledata/_data/movies.db")
    rows = table.execute(
        "select Title, coalesce(Director, ''), coalesce(Language, ''), coalesce(Country, ''), "
        "coalesce(Reviews, 0) from omdb join tomatoes using (ID) order by ID"
    ).fetchall()
    twice = named_twice((row[0] for row in rows), "film_director", "film_language", "film_country")
    return [
        row for row in rows if fold(row[0]) not in twice and len(row[0]) > 2 and "|" not in row[0]
    ]


def film_director(sources: Sources) -> list[Fact]:
    """Films with one director."""
    facts = [
        Fact(title, accepted(director), reviews)
        for title, director, _, _, reviews in films(sources)
        if director and "," not in director
    ]
    return head_and_any(facts, 600)


def one_valued(rows: Iterable[tuple[str, str, int]], table: str) -> list[Fact]:
    """Facts of (title, value, reviews) with one value that at least three films share."""
    facts = [
        Fact(title, accepted(*errata(table).get(value, [value])), reviews)
        for title, value, reviews in rows
        if value and "," not in value and errata(table).get(value, [value])
    ]
    uses = Counter(fact.answers[0] for fact in facts)
    return [fact for fact in facts if uses[fact.answers[0]] >= 3]


def film_language(sources: Sources) -> list[Fact]:
    """Films in one language that is not English."""
    rows = [(title, language, reviews) for title, _, language, _, reviews in films(sources)]
    return head_and_any(one_valued((r for r in rows if r[1] != "English"), "film_language"), 400)


def film_country(sources: Sources) -> list[Fact]:
    """Films of one country, none of which another relation asks about."""
    used = {fact.subject for fact in film_director(sources) + film_language(sources)}
    names = {forms[0]: forms for forms in country_names(sources).values()}
    rows = [(title, country, reviews) for title, _, _, country, reviews in films(sources)]
    facts = one_valued((row for row in rows if row[0] not in used), "film_country")
    facts = [
        Fact(f.subject, accepted(*f.answers, *names.get(f.answers[0], [])), f.popularity)
        for f in facts
    ]
    return head_and_any(facts, 400)
