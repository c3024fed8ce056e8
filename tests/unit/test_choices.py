import json

import pytest
from choice_data import CITIES, fact, lines, load, own, reasons, simple
from hypothesis import given
from hypothesis import strategies as st
from plumbline.data.choice_items import overlap
from plumbline.records import ChoiceQuestion, Question
from plumbline.sources.fetching import fetch
from plumbline.sources.source import Source
from plumbline.storage.files import InputError, read_json, read_rows, write_rows
from programs import program

# --- any format -----------------------------------------------------------------------------------


def test_own_rows_keep_ids_orders_and_further_fields(tmp_path):
    rows = [own(1, labels=[0, 1, 1], best=2, origin="mine", subject="one"), own(2)]
    found, dropped = load("rows", lines(tmp_path, *rows), domain="id")
    assert dropped == []
    assert [row.id for row in found] == ["own-1", "own-2"]
    assert simple(found[0]) == ("Which is 1?", ["1", "2", "3"], [0, 1, 1], 2)
    assert (found[0].origin, found[0].subject, found[0].domain) == ("mine", "one", "id")
    assert found[1].best == 0  # the only true one


def test_empty_and_identical_choices_are_dropped_and_counted(tmp_path):
    rows = [
        {"question": "Which is 1?", "choices": ["x", " ", "y", "x "], "answer": 3},
        {"question": "Which is 2?", "choices": ["x", " x"], "answer": 0},
    ]
    (found,), dropped = load("mmlu", lines(tmp_path, *rows))
    assert simple(found)[1:] == (["x", "y"], [1, 0], 0)
    assert reasons(dropped) == {
        ("choices", "empty_choice"): 1,
        ("choices", "identical_choice"): 2,
        ("questions", "no_false_choice"): 1,
    }


def test_a_question_with_other_choices_is_another_question(tmp_path):
    def row(question, a, b):
        return {"question": question, "choices": [a, b], "answer": 0}

    path = lines(
        tmp_path,
        row("Which of these is true?", "a", "b"),
        row("Which of these is true?", "c", "d"),
        row("which of these   is true", "b", "a"),
    )
    found, dropped = load("mmlu", path)
    assert {frozenset(row.choices) for row in found} == {frozenset("ab"), frozenset("cd")}
    assert reasons(dropped) == {("questions", "duplicate"): 1}


@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(0, 5))
def test_the_order_of_rows_changes_nothing_and_a_larger_limit_contains_a_smaller(
    tmp_path_factory, random_, limit, seed
):
    folder = tmp_path_factory.mktemp("rows")
    answers = [
        {"question": f"Q{q % 9}?", "answer": f"{a} of {q % 9}", "label": int(a == 0)}
        for q in range(10)
        for a in range(4)
    ]
    mixed = random_.sample(answers, len(answers))

    def content(rows, limit):
        found, dropped = load("labelled", lines(folder, *rows), limit=limit, seed=seed)
        assert len({row.id for row in found}) == len(found) == min(limit or 9, 9)
        assert reasons(dropped).get(("questions", "over_limit"), 0) == 9 - len(found)
        return {(row.id, *map(str, simple(row))) for row in found}

    assert content(answers, limit) == content(mixed, limit)
    assert content(answers, limit) <= content(mixed, limit + 1) <= content(answers, None)


def test_seed_changes_which_are_taken_and_the_made_up_orders(tmp_path):
    rows = [
        {"question": f"Q{q}?", "answer": f"{a}{q}", "label": int(a == "t")}
        for q in range(40)
        for a in "tfgh"
    ]
    path = lines(tmp_path, *rows)
    one, other = (load("labelled", path, seed=seed)[0] for seed in (1, 2))
    assert [row.id for row in one] == [row.id for row in other]
    assert [row.choices for row in one] != [row.choices for row in other]
    assert {row.best for row in one} == {0, 1, 2, 3}
    assert all(row.choices[row.best].startswith("t") for row in one + other)
    taken = [{r.id for r in load("labelled", path, seed=s, limit=10)[0]} for s in (1, 2)]
    assert taken[0] != taken[1]


def test_nothing_left_is_an_error_that_says_why(tmp_path):
    row = {"question": "Q?", "answer": "a", "label": 1}
    with pytest.raises(InputError, match=r"no choice question is left.*1 no_false_choice"):
        load("labelled", lines(tmp_path, row))
    with pytest.raises(InputError, match="dropped: none"):
        load("ai2", lines(tmp_path))


def test_overlap_is_by_wording_alone():
    def ask(name, text):
        return ChoiceQuestion(id=name, question=text, choices=["a", "b"], labels=[1, 0])

    mine = [ask("1", "Who’s there?"), ask("2", "Who was there?"), ask("3", "  WHO   is it")]
    same = Question(
        id="q", relation="r", subject="s", question="Who is it?!", answers=["x"],
        split="test", domain="id",
    )  # fmt: skip
    assert overlap(mine, [ask("x", "who's there"), same]) == {"1", "3"}


def test_signs_and_points_make_another_question(tmp_path):
    asked = ["7 + 3?", "7 + (-3)?", "7 - 3?", "7.3?", "73?", "Is it C++?", "Is it C?", "Is it C#?"]
    rows = [
        {"id": text, "question": text, "choices": ["1", "2"], "labels": [1, 0]} for text in asked
    ]
    found, dropped = load("rows", lines(tmp_path, *rows))
    assert [row.question for row in found] == asked and not dropped


def test_what_is_not_seen_makes_no_other_question_or_choice(tmp_path):
    rows = [
        {"choices": ["Ann", "An\xadn", "\u200b", "Bo\xa0B"], "answer": 0},
        {"choices": ["Ann", "Bo B"], "answer": 0},
    ]
    for row, text in zip(rows, ("Who?", "\ufeffWho?"), strict=True):
        row["question"] = text
    found, dropped = load("mmlu", lines(tmp_path, *rows))
    assert [row.choices for row in found] == [["Ann", "Bo\xa0B"]]  # as its author wrote it
    labelled = [("Who?", "Ann", 1), ("Who?\u200b", "Bo", 0)]
    rows = [dict(zip(("question", "answer", "label"), row, strict=True)) for row in labelled]
    [row], _ = load("labelled", lines(tmp_path, *rows))
    assert set(row.choices) == {"Ann", "Bo"}
    assert reasons(dropped) == {
        ("choices", "identical_choice"): 1,
        ("choices", "empty_choice"): 1,
        ("questions", "duplicate"): 1,
    }


# --- the program ----------------------------------------------------------------------------------


def build(monkeypatch, settings, **options):
    program(monkeypatch, "build_choices", choices=json.dumps(settings), name="mine", **options)


def test_the_program_writes_rows_and_counts(tmp_path, monkeypatch):
    path = lines(tmp_path, own(1), own(2), own(3))
    fetch(Source.parse(f"file:{path}"), tmp_path / "source")
    settings = {"format": "rows", "source": f"file:{path}", "limit": 2}
    out = {"out": tmp_path / "out.jsonl", "dropped": tmp_path / "dropped.json"}
    marker = {"source_marker": tmp_path / "source" / "source.json"}
    build(monkeypatch, settings | {"name": "mine", "domain": "id"}, **marker, **out)
    rows = list(read_rows(tmp_path / "out.jsonl", ChoiceQuestion))
    assert [row.domain for row in rows] == ["id", "id"]
    assert read_json(tmp_path / "dropped.json") == {
        "name": "mine",
        "kept": 2,
        "dropped": [{"stage": "choices", "item": "questions", "reason": "over_limit", "n": 1}],
    }

    write_rows(tmp_path / "facts.jsonl", [fact(i, city) for i, city in enumerate(CITIES)])
    facts = {"facts": tmp_path / "facts.jsonl"}
    build(monkeypatch, {"format": "facts"}, **facts, **out)
    assert len(list(read_rows(tmp_path / "out.jsonl", ChoiceQuestion))) == 8
    with pytest.raises(InputError, match="format facts: give --facts, and only that"):
        build(monkeypatch, {"format": "facts"}, **facts, **marker, **out)
    with pytest.raises(InputError, match="format rows: give --source-marker"):
        build(monkeypatch, settings, **out)
