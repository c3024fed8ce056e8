"""The tables' record types: what is written, what is read, and what docs/tables.md says of them."""

from pathlib import Path

import pytest
from plumbline.report.names import TABLES
from plumbline.tables import (
    High,
    Low,
    TableRow,
    as_markdown,
    number_columns,
    text_columns,
    write_table,
)
from programs import csv_rows
from pydantic import Field

PAGE = Path(__file__).parents[2] / "docs/tables.md"


class Row(TableRow):
    """A table
    of two lines.
    """

    name: str = Field(description="Whose it is.")
    n: int | None = Field(description="How many.")
    low: Low = None
    high: High = None


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == as_markdown(TABLES), (
        f"{PAGE.name} does not fit the record types of the tables. Run:\n"
        f"  PYTHONPATH=workflow python workflow/scripts/write_tables_page.py"
    )


def test_every_table_and_column_is_described():
    for name, record in TABLES.items():
        assert record.__doc__ and record.__doc__ != TableRow.__doc__, name
        lacking = [c for c, field in record.model_fields.items() if not field.description]
        assert not lacking, name


def test_no_two_tables_are_of_one_type():
    assert len(set(TABLES.values())) == len(TABLES)


def test_rows_are_records_or_mappings_and_what_is_optional_may_be_empty(tmp_path):
    path = tmp_path / "t.csv"
    write_table(path, Row, [Row(name="a", n=1, high=0.5), {"n": 2, "name": "b"}])
    assert path.read_text() == "name,n,low,high\na,1,,0.5\nb,2,,\n"
    write_table(path, Row, [])
    assert csv_rows(path) == [] and path.read_text() == "name,n,low,high\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [({"name": "a"}, "a row of Row lacks n"), ({"name": "a", "n": 1, "more": 2}, "more")],
)
def test_other_columns_than_the_declared_ones_are_refused(tmp_path, row, message):
    with pytest.raises(ValueError, match=message):
        write_table(tmp_path / "t.csv", Row, [row])
    assert not (tmp_path / "t.csv").exists()


def test_types_say_how_a_column_is_read():
    assert (text_columns(Row), number_columns(Row)) == (["name"], ["n", "low", "high"])
    assert "verdict" in text_columns(TABLES["contrasts"])  # one of several words


def test_the_page_tells_types_and_meanings():
    page = as_markdown({"mine": Row})
    assert "## mine\n\nA table of two lines.\n\n| column | type | meaning |" in page
    assert "| `name` | text | Whose it is. |\n| `n` | whole number | How many. |" in page
    assert "| `low` | number | Lower bound" in page
