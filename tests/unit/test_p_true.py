"""P(True) beside SliCK: what is asked, what each calls Unknown, and what the page says of it."""

import json
import math
from types import SimpleNamespace

import pandas as pd
import pytest
from plumbline.evaluation.exact_answers import Answer
from plumbline.methods.slick.p_true import PTrue, p_true, proposal, rows
from plumbline.methods.slick.p_true_section import p_true as section
from plumbline.records import Question
from plumbline.storage.files import InputError, read_rows, write_rows
from programs import program


def question(name: str, split="test") -> Question:
    return Question(
        id=name, relation="capital", subject=name, question=f"What is the capital of {name}?",
        answers=["Paris", "Lutetia"], split=split, domain="id",
    )  # fmt: skip


def answer(name: str, category: str, correct: bool, domain="id") -> Answer:
    return Answer(
        id=f"{name}/closed_book", task="closed_book", question=name, relation="capital",
        cluster=name, domain=domain, category=category, output="", abstained=False,
        metrics={"em": float(correct)},
    )  # fmt: skip


def test_the_base_is_asked_of_the_first_answer():
    asked = proposal(question("France"))
    assert asked.question == (
        "Question: What is the capital of France?\nProposed Answer: Paris\n"
        "Is the proposed answer:\n (A) True\n (B) False\nThe proposed answer is:"
    )
    assert asked.choices == ["(A)", "(B)"]
    assert p_true(math.log(0.3), math.log(0.1)) == pytest.approx(0.75)
    assert p_true(-2000.0, 0.0) == pytest.approx(0) and p_true(0.0, -2000.0) == 1


def test_both_probes_call_as_many_unknown():
    """Planted: of SliCK's Unknown none is answered; P(True) takes one of them for known."""
    answers = [
        answer("a", "Unknown", False), answer("b", "Unknown", False),
        answer("c", "WeaklyKnown", True), answer("d", "HighlyKnown", True),
        answer("e", "HighlyKnown", True), answer("f", "MaybeKnown", True, domain="ood"),
        answer("was not probed", "All", True),
    ]  # fmt: skip
    values = {"a": 0.1, "b": 0.9, "c": 0.2, "d": 0.8, "e": 0.95, "f": 0.0}
    found = [PTrue(id=name, p_true=value) for name, value in values.items()]
    table = list(rows(answers, found, 0.95, model="m", seed=1, checkpoint="mix.x"))
    got = {(r["domain"], r["probe"], r["called"]): r for r in table}
    assert {key: (r["value"], r["n"]) for key, r in got.items()} == {
        ("id", "slick", "Unknown"): (0.0, 2), ("id", "slick", "Known"): (1.0, 3),
        ("id", "p_true", "Unknown"): (0.5, 2), ("id", "p_true", "Known"): (0.666667, 3),
        ("ood", "slick", "Known"): (1.0, 1), ("ood", "p_true", "Known"): (1.0, 1),
    }  # fmt: skip
    unknown = got["id", "p_true", "Unknown"]
    assert (unknown["threshold"], unknown["share"]) == (0.2, 0.4)
    assert got["id", "slick", "Unknown"]["threshold"] == ""
    with pytest.raises(InputError, match="question f: has no P"):
        list(rows(answers, found[:-1], 0.95))

    run = SimpleNamespace(tables=SimpleNamespace(p_true=pd.DataFrame(table)))
    prose, listed = section(run)
    assert "0.0 % of what SliCK calls Unknown" in prose.lines[0]
    assert "50.0 % of as many facts" in prose.lines[0]
    assert [cell.text for cell in listed.rows[0]][3:] == ["ID", "2", "0.0", "100.0", "50.0", "66.7"]
    assert section(SimpleNamespace(tables=SimpleNamespace(p_true=pd.DataFrame()))) == []


def test_it_is_measured_on_test_questions(tiny_base, tmp_path, monkeypatch):
    write_rows(tmp_path / "questions.jsonl", [
        question("France"), question("Norway"), question("Chad", split="train"),
    ])  # fmt: skip
    program(
        monkeypatch, "measure_p_true", questions=tmp_path / "questions.jsonl",
        checkpoint=tiny_base, scoring=json.dumps({"batch_tokens": 256}),
        device="cpu", threads=1, found=tmp_path / "p_true.jsonl",
    )  # fmt: skip
    found = list(read_rows(tmp_path / "p_true.jsonl", PTrue))
    assert [one.id for one in found] == ["France", "Norway"]
    assert all(0 < one.p_true < 1 for one in found)
