"""A table of a run is one record type, used by its writer, the report and docs/tables.md.

The fields of the type are the columns, in order. Every row must have the fields without a default;
fields that may be None may be empty.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field

from plumbline.storage.files import write_csv

if TYPE_CHECKING:
    from plumbline.experiment.config import Config

# Columns that many tables have.
ModelName = Annotated[str, Field(description="The model, as the configuration names it.")]
TrainingSeed = Annotated[int, Field(description="Seed of the training; 0: the base.")]
AnySeed = Annotated[
    int | None, Field(description="Seed of the training; 0: the base; empty: over all seeds.")
]
CheckpointName = Annotated[str, Field(description="The checkpoint, such as `grath.r1`.")]
TaskName = Annotated[str, Field(description="What was asked, such as `closed_book`.")]
DomainName = Annotated[str, Field(description="`id`: in the tuning domain; `ood`: outside it.")]
Low = Annotated[
    float | None,
    Field(description="Lower bound of the interval; empty: too few items, or no estimate."),
]
High = Annotated[float | None, Field(description="Upper bound of the interval.")]
Count = Annotated[int, Field(description="How many.")]


class TableRow(BaseModel):
    """A row of a table in results/<run>/tables."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def made(cls, config: Config) -> object:
        """Truthy if an experiment with this configuration makes the table."""
        return True


def write_table(
    path: Path, record: type[TableRow], rows: Iterable[TableRow | Mapping[str, Any]]
) -> None:
    """Write rows, records or mappings, as the table that `record` describes.

    ValueError for a row with a column that the table does not have, or without a required one.
    """
    needed = [name for name, field in record.model_fields.items() if field.is_required()]

    def checked() -> Iterable[dict]:
        for row in rows:
            cells = row.model_dump() if isinstance(row, TableRow) else dict(row)
            if lacking := [name for name in needed if name not in cells]:
                raise ValueError(f"{path}: a row of {record.__name__} lacks {', '.join(lacking)}")
            yield cells

    write_csv(path, list(record.model_fields), checked())


def number_columns(record: type[TableRow]) -> list[str]:
    """The columns that contain only numbers, or are empty."""
    return [name for name in record.model_fields if _kinds(record, name) <= {int, float}]


def text_columns(record: type[TableRow]) -> list[str]:
    """All others."""
    numbers = number_columns(record)
    return [name for name in record.model_fields if name not in numbers]


def as_markdown(tables: Mapping[str, type[TableRow]]) -> str:
    """The page that describes each table."""
    parts = [
        "# Tables",
        "Every number of a report is in one of these files, `results/<run>/tables/<table>.csv`. A run "
        "writes only the tables of what it does: without a method, the method's tables are absent. "
        "Shares and differences of shares are fractions of 1.",
        "This page is generated from the tables' record types by `PYTHONPATH=workflow python "
        "workflow/scripts/write_tables_page.py`.",
    ]
    for name, record in tables.items():
        lines = ["| column | type | meaning |", "|---|---|---|"]
        for column, field in record.model_fields.items():
            lines.append(f"| `{column}` | {_spoken(record, column)} | {field.description} |")
        parts += [f"## {name}", " ".join((record.__doc__ or "").split()), "\n".join(lines)]
    return (
        "\n\n".join(
            part
            if part.startswith(("|", "#"))
            else textwrap.fill(part, 100, break_on_hyphens=False)
            for part in parts
        )
        + "\n"
    )


def _spoken(record: type[TableRow], column: str) -> str:
    kinds = _kinds(record, column)
    if not kinds <= {int, float}:
        return "text"
    return "number" if float in kinds else "whole number"


def _kinds(record: type[TableRow], column: str) -> set[Any]:
    """The types that a column is made of, without None."""

    def parts(annotation: Any) -> set[Any]:
        inner = get_args(annotation)
        return set().union(*map(parts, inner)) if inner else {annotation}

    return parts(record.model_fields[column].annotation) - {type(None)}
