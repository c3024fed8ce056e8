import json
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.records import Category, Generation, Message, Question, Request, Sampling
from plumbline.storage.files import (
    DifferentRuns,
    InputError,
    atomic_write,
    read_json,
    read_rows,
    read_unique_rows,
    sha256_file,
    sha256_json,
    write_csv,
    write_json,
    write_rows,
)
from plumbline.texts.text import visible
from pydantic import ValidationError
from slick_data import question

SAMPLING = Sampling(max_tokens=4)


SEEN = st.text(min_size=1).filter(visible)


@given(SEEN, st.lists(SEEN, min_size=1))
def test_rows_survive_writing_and_reading(tmp_path_factory, text, answers):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows = [question("capital", n, question=text, answers=answers, popularity=0.5) for n in (1, 2)]
    assert write_rows(path, rows) == 2
    assert read_unique_rows(path, Question) == rows
    assert path.read_bytes().count(b"\n") == 2  # one line a row, whatever the text holds


def test_fields_that_are_not_named_are_kept(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_rows(path, [question("capital", 1, wikidata="Q90", nested={"a": [1]})])
    (row,) = read_rows(path, Question)
    assert (row.wikidata, row.nested) == ("Q90", {"a": [1]})
    assert json.loads(path.read_text())["wikidata"] == "Q90"


def test_blank_lines_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = tmp_path / "rows.jsonl"
    line = question("capital", 1).model_dump_json()
    path.write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n\r\n  \n")
    assert len(list(read_rows(path, Question))) == 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"id": "x"', "line 3: the line: Invalid JSON"),
        ("[1]", "line 3: the line: Input should be an object"),
        ('{"id": ""}', "line 3: id: String should have at least 1 character"),
        ('{"id": "x"}', "line 3: relation: Field required"),
    ],
)
def test_a_bad_line_is_named_with_file_number_and_field(tmp_path, line, complaint):
    path = tmp_path / "rows.jsonl"
    good = question("capital", 1).model_dump_json()
    path.write_text(f"{good}\n\n{line}\n")
    with pytest.raises(InputError) as caught:
        list(read_rows(path, Question))
    assert str(caught.value).startswith(f"{path}, {complaint}")
    assert "fields of a question: id, relation, subject" in str(caught.value)


def test_missing_empty_and_repeated(tmp_path):
    path = tmp_path / "rows.jsonl"
    with pytest.raises(InputError, match="cannot be read"):
        list(read_rows(path, Question))
    path.write_text("\n")
    with pytest.raises(InputError, match=r"no rows. Expected at least one question"):
        read_unique_rows(path, Question)
    write_rows(path, [question("capital", n) for n in (1, 2, 1)])
    with pytest.raises(InputError, match="rows 1 and 3 have the same id 'capital/train/1'"):
        read_unique_rows(path, Question)


@pytest.mark.parametrize(
    "change",
    [{"answers": []}, {"answers": [""]}, {"split": "training"}, {"domain": "in"}, {"subject": ""}],
)
def test_questions_that_are_none(change):
    with pytest.raises(ValidationError):
        question("capital", 1, **change)


def test_a_request_has_one_prompt():
    common = {"id": "x", "sampling": SAMPLING, "purpose": "test"}
    messages = [Message(role="user", content="x")]
    Request(prompt="", **common)
    Request(messages=messages, **common)
    for sides in ({}, {"prompt": "x", "messages": messages}):
        with pytest.raises(ValidationError, match="exactly one of prompt and messages"):
            Request(**sides, **common)
    with pytest.raises(ValidationError, match="unless_accepted needs series and accept"):
        Request(prompt="x", unless_accepted=True, series="s", **common)


def test_sampling():
    with pytest.raises(ValidationError, match="n must be 1"):
        Sampling(max_tokens=4, n=2)
    with pytest.raises(ValidationError, match="topk"):
        Sampling(max_tokens=4, topk=3)
    with pytest.raises(ValidationError):
        SAMPLING.n = 2
    assert hash(SAMPLING) == hash(Sampling(max_tokens=4))


def test_categories_are_their_names_best_known_first():
    assert list(map(str, Category)) == ["HighlyKnown", "MaybeKnown", "WeaklyKnown", "Unknown"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "deep" / "rows.jsonl"
    write_rows(path, [question("capital", 1)])
    before = path.read_bytes()

    def rows():
        yield question("capital", 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(path, rows())
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["rows.jsonl"]


def test_writing_replaces_a_file_that_is_being_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with path.open() as reader:
        with atomic_write(path) as stream:
            stream.write("new\r\nline\n")
            assert path.read_text() == "old"
        assert reader.read() == "old"
    assert path.read_bytes() == b"new\r\nline\n"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644


def test_json_is_the_same_bytes_for_the_same_content(tmp_path):
    write_json(tmp_path / "a", {"b": 1, "a": {"d": "ä", "c": [2]}})
    write_json(tmp_path / "b", {"a": {"c": [2], "d": "ä"}, "b": 1})
    assert sha256_file(tmp_path / "a") == sha256_file(tmp_path / "b")
    assert read_json(tmp_path / "a") == {"a": {"c": [2], "d": "ä"}, "b": 1}
    assert sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1}) != sha256_json({"a": 1})
    (tmp_path / "a").write_text("{")
    with pytest.raises(InputError, match=r"/a: cannot be read as JSON \(.*line 1"):
        read_json(tmp_path / "a")
    with pytest.raises(InputError, match="No such file"):
        read_json(tmp_path / "absent")


def test_csv(tmp_path):
    write_csv(tmp_path / "t.csv", ["a", "b"], [{"a": 1, "b": 'x,"y"'}, {"a": 2}])
    assert (tmp_path / "t.csv").read_text() == 'a,b\n1,"x,""y"""\n2,\n'
    with pytest.raises(ValueError, match="c"):
        write_csv(tmp_path / "t.csv", ["a"], [{"a": 1, "c": 2}])
    assert (tmp_path / "t.csv").read_text().startswith("a,b")


def test_generations_keep_odd_text(tmp_path):
    one = Generation(request="r", purpose="x", index=0, text="\u2028\ufffd\n\"", token_ids=[1],
                     finish="length")  # fmt: skip
    write_rows(tmp_path / "g.jsonl", [one])
    assert list(read_rows(tmp_path / "g.jsonl", Generation)) == [one]


def test_bytes_that_are_no_text_are_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"PAR1\xff\xfe\x00")
    with pytest.raises(InputError, match=r"rows\.jsonl: is not UTF-8 text"):
        list(read_rows(path, Question))


def test_files_of_different_runs_are_told_with_what_is_missing_and_what_to_do():
    error = DifferentRuns("claim a has no verdict", "Verify again")
    assert isinstance(error, InputError)
    assert str(error) == ("claim a has no verdict; the files are of different runs. Verify again.")
