"""Large files, huge fields and every script of the world: taken whole, or told in time."""

import json
import time

import pytest
from bad_rows import QUESTIONS
from checked import run
from hypothesis import given
from hypothesis import strategies as st
from plumbline.records import Question
from plumbline.storage.files import InputError, read_rows, read_unique_rows, write_rows
from plumbline.texts.text import visible

ROWS = 200_000  # a fifth of a million, so that the tests stay short; time grows in proportion


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A file of sound questions, ids 0 to ROWS - 1."""
    path = tmp_path_factory.mktemp("many") / "many.jsonl"
    with path.open("w") as stream:
        for n in range(ROWS):
            row = f'"subject":"land {n}","question":"Where is land {n}?","answers":["town {n}"]'
            stream.write(f'{{"id":"{n}","relation":"place",{row},"split":"test","domain":"id"}}\n')
    return path


def spent(action) -> float:
    """Seconds of this process, which do not grow with what else the machine does."""
    start = time.process_time()
    action()
    return time.process_time() - start


@pytest.mark.parametrize(
    ("last", "says"),
    [('{"id": "7"}', rf"line {ROWS + 1}: relation: Field required"),
     (json.dumps({**QUESTIONS[0], "id": "7"}), rf"rows 8 and {ROWS + 1} have the same id '7'")],
)  # fmt: skip
def test_a_mistake_at_the_end_of_many_rows(many, tmp_path, last, says):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(many.read_bytes() + f"{last}\n".encode())

    def read():
        with pytest.raises(InputError, match=says):
            read_unique_rows(path, Question)

    assert spent(read) < 5


def test_many_rows_are_read_one_by_one(many):
    """Nothing is kept of a row that has been used."""
    rows = read_rows(many, Question)
    assert next(rows).id == "0" and sum(1 for _ in rows) == ROWS - 1


def test_huge_fields_are_taken_whole_and_never_repeated_in_a_message(tmp_path, monkeypatch):
    huge = "Ж" * 5_000_000
    path = tmp_path / "huge.jsonl"
    path.write_text(json.dumps({**QUESTIONS[0], "subject": huge}, ensure_ascii=False) + "\n")
    assert next(read_rows(path, Question)).subject == huge
    path.write_text(json.dumps({**QUESTIONS[0], "split": huge}, ensure_ascii=False) + "\n")
    out = tmp_path / "out"
    arguments = [
        "--source",
        "rows",
        "--path",
        path,
        "--questions",
        out / "q",
        "--counts",
        out / "c",
    ]
    ending = run("build_questions", arguments, monkeypatch)
    assert ending.code == 1 and len(ending.message) < 500 and not out.exists()


SEEN = st.text(min_size=1).filter(visible)


@given(st.lists(SEEN, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_any_text_comes_back_as_it_was(tmp_path_factory, texts, dos, bom):
    """NUL and other control characters (escaped), right-to-left marks, line separators, emoji."""
    path = tmp_path_factory.mktemp("any") / "rows.jsonl"
    rows = [
        Question.model_validate({**QUESTIONS[0], "id": str(n), "question": text, "answers": [text]})
        for n, text in enumerate(texts)
    ]
    write_rows(path, rows)
    content = path.read_bytes()
    if dos:
        content = content.replace(b"\n", b"\r\n")
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + content)
    assert read_unique_rows(path, Question) == rows


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_told(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "rows.jsonl"
    path.write_bytes(content)
    try:
        list(read_rows(path, Question))
    except InputError as error:
        assert str(error).startswith(str(path))


@given(st.data())
def test_one_byte_changed_is_a_row_or_told(tmp_path_factory, data):
    """A sound file with one byte replaced, taken away or put in."""
    path = tmp_path_factory.mktemp("byte") / "rows.jsonl"
    write_rows(path, map(Question.model_validate, QUESTIONS))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255))
    match data.draw(st.sampled_from(["replace", "remove", "insert"])):
        case "replace":
            content[place] = byte
        case "remove":
            del content[place]
        case _:
            content.insert(place, byte)
    path.write_bytes(content)
    try:
        list(read_rows(path, Question))
    except InputError as error:
        assert str(error).startswith(str(path)) and len(str(error)) < 600
