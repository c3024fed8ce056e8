"""The chemical elements."""

from __future__ import annotations

from fact_builders.common import (
    Fact,
)
from fact_builders.packages import Sources


def _elements(sources: Sources, column: str) -> list[Fact]:
    table = sources.database("mendeleev", "mendeleev/elements.db")
    query = f"select name, {column} from elements order by atomic_number"
    return [Fact(name.lower(), [str(value)]) for name, value in table.execute(query)]


def symbol(sources: Sources) -> list[Fact]:
    return _elements(sources, "symbol")


def number(sources: Sources) -> list[Fact]:
    return _elements(sources, "atomic_number")
