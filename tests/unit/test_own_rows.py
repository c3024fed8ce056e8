"""Rows of the user's own in each kind of file, which say the same."""

import json

import pandas
import pytest
from plumbline.data.facts import FactRow, load_rows
from plumbline.data.instruction_rows import InstructionRow
from plumbline.storage.files import InputError
from plumbline.storage.rows import own_rows

FACTS = [
    {"relation": "river", "subject": "Elbe", "question": "Where, then?", "answers": ["a", "b c"]},
    {"relation": "river", "subject": "Oder", "question": "And?", "answers": ["d"], "split": "test"},
]
CSV = """\ufeffrelation,subject,question,answers,popularity,split
river,Elbe,"Where, then?",a|b c,,

river,Oder,And?,d,,test
"""


def test_facts_are_the_same_from_each_kind_of_file(tmp_path):
    (tmp_path / "facts.jsonl").write_text("\n".join(map(json.dumps, FACTS)))
    (tmp_path / "facts.json").write_text(json.dumps(FACTS, indent=1))
    (tmp_path / "facts.csv").write_text(CSV)
    pandas.DataFrame(FACTS).to_parquet(tmp_path / "facts.parquet")
    read = {path.suffix: list(own_rows(path, FactRow)) for path in tmp_path.iterdir()}
    assert len(read) == 4 and read[".jsonl"] == [FactRow(**row) for row in FACTS]
    assert all(rows == read[".jsonl"] for rows in read.values())


def test_lines_of_json_may_be_called_json(tmp_path):
    path = tmp_path / "facts.json"
    path.write_text("\n" + "\n".join(map(json.dumps, FACTS)))
    assert [row.subject for row in own_rows(path, FactRow)] == ["Elbe", "Oder"]


def test_an_alpaca_file_is_one_list(tmp_path):
    path = tmp_path / "alpaca.json"
    row = {"instruction": "Sum it up.", "input": "It rained.", "output": "Rain."}
    path.write_text(json.dumps([row]))
    (read,) = own_rows(path, InstructionRow)
    assert (read.instruction, read.responses) == ("Sum it up.\n\nIt rained.", ["Rain."])


def test_numbers_of_a_csv_are_numbers_and_unknown_columns_are_named(tmp_path, caplog):
    path = tmp_path / "facts.csv"
    path.write_text("relation,subject,question,answers,popularity,note\nr,s,q,a,0.5,x\n")
    (row,) = own_rows(path, FactRow)
    assert row.popularity == 0.5
    assert "columns that are not read, and how many rows have them: note 1" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "subject,question\nElbe,What?\n", "line 2: relation: Field required"),
        ("a.csv", "relation,subject,question,answers\nr,Elbe,What,is,it\n", "line 2: 5 cells; the"),
        ("a.csv", 'relation,subject\n"r,s\n', "cannot be read as CSV"),
        ("a.csv", "", "no rows"),
        ("a.csv", "relation,subject,question,answers\nr,s,q,a||b\n", "line 2: answers.1"),
        ("a.json", "[1]", "row 1: "),
        ("a.json", '[{"relation": ', "a.json: cannot be read as JSON"),
        ("missing/a.json", None, "a.json: cannot be read"),
        ("missing/a.csv", None, r"a.csv: cannot be read \(No such file or directory\)"),
    ],
)
def test_a_file_that_is_none_is_told_with_its_place(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        load_rows(tmp_path / name)
