"""The second stage's program: scored responses to pairs, and what is lost on the way."""

from collections import Counter

import pytest
from flame_data import response
from flame_stages import build_pairs, generated, knowing, verified
from plumbline.claims.records import Claim, Splitting
from plumbline.judging.records import Calibration
from plumbline.records import Request
from plumbline.responses.scores import Factuality, Helpfulness
from plumbline.storage.files import InputError, read_json, read_unique_rows
from programs import program


def test_the_second_stages_file_draws_evenly_and_tells_what_it_is_made_of(
    second_stage, monkeypatch
):
    rows, composition = build_pairs(second_stage, monkeypatch)
    pairs = {(one.source, one.chosen, one.rejected) for one in rows}
    assert pairs == {
        ("helpful", "Second.", "First."),  # 4 against 3.5
        ("helpful", "Fourth.", "Third."),
        ("factual", "First.", "Second."),  # 1 against 1/4, and 0.5 is within the gate
    }
    for at in (0, 2, 4):
        assert Counter(one.source for one in rows[at : at + 2]) == {"helpful": 1, "factual": 1}
    assert composition.model_dump() == {
        "name": "flame.sft.dpo-star",
        "rows": 6,
        "parts": {"factual": 1, "helpful": 2},
        "counted": {
            "responses": 4,
            "responses_without_judgement": 0,
            "helpful_mean": pytest.approx((3.5 + 4 + 1 + 2) / 4),
            "helpful_n": 4,
            "factual_mean": 0.625,
            "factual_n": 2,
        },
        "dropped": [],
    }


def test_the_second_stage_without_unknown(second_stage, monkeypatch):
    """Whatever the source, a pair whose chosen response states the fact is out."""
    verdicts = {"verdicts": second_stage("verdicts.jsonl")}
    known = knowing(second_stage, "Say a", "Second") | verdicts
    rows, composition = build_pairs(second_stage, monkeypatch, "dpo", **known)
    assert {(one.source, one.chosen) for one in rows} == {("helpful", "Fourth.")}
    assert len(rows) == 6 and composition.parts == {"helpful": 1}
    assert composition.counted["knowledge"]["unknown_dropped"] == 1
    assert composition.dropped == [
        {"stage": "flame", "item": "dpo: pairs", "reason": "Unknown to the base", "n": 1}
    ]
    # No source stands in for another one.
    known = knowing(second_stage, "Say a", "First") | verdicts
    with pytest.raises(InputError, match=r"factual pairs: 0 different .*1 Unknown to the base"):
        build_pairs(second_stage, monkeypatch, **known)


def test_what_is_lost_on_the_way_to_pairs_is_counted(second_stage, monkeypatch):
    files = second_stage
    points = {"a#0": 5, "a#1": 4, "b#0": None, "b#1": 2}
    files("helpful.jsonl", [Helpfulness(id=name, score=one) for name, one in points.items()])
    rows, composition = build_pairs(files, monkeypatch, "dpo", steps=1)
    assert [(one.chosen, one.rejected) for one in rows] == [("First.", "Second.")] * 2
    assert composition.counted["responses_without_judgement"] == 1
    assert {(row["item"], row["reason"]): row["n"] for row in composition.dropped} == {
        ("dpo: helpful responses", "no score"): 1,
        ("dpo: helpful pairs", "fewer than two scored responses"): 1,
    }
    lost = (
        r"dpo-fact, factual pairs: 0 different pairs \(left out: 1 helpfulness differs too much\)"
    )
    with pytest.raises(InputError, match=lost):
        build_pairs(files, monkeypatch, "dpo-fact")


def test_too_few_pairs_too_often_are_refused_with_what_was_lost(second_stage, monkeypatch):
    files = second_stage
    # Six rows, half of them of the one factual pair.
    build_pairs(files, monkeypatch, max_repeats=3)
    with pytest.raises(InputError, match=r"factual pairs: 1 different pairs, shown up to 3 times"):
        build_pairs(files, monkeypatch, max_repeats=2)
    with pytest.raises(InputError, match=r"requires at least 2 \(min_pairs\)"):
        build_pairs(files, monkeypatch, min_pairs=2)


def test_without_a_usable_judge_only_facts_make_pairs(second_stage, monkeypatch):
    files = second_stage
    failed = [{"kind": "All", "right": 0.5, "low": 0.4, "high": 0.6, "n": 60}]
    judge = Calibration(judge="base", use="helpfulness", usable=False, kinds=failed)
    files("calibration.json", judge.model_dump())
    files("helpful.jsonl", [Helpfulness(id=name) for name in ("a#0", "a#1", "b#0", "b#1")])
    rows, composition = build_pairs(files, monkeypatch)
    assert {(one.source, one.chosen) for one in rows} == {("factual", "First.")}
    assert composition.parts == {"factual": 1}
    lost = {"stage": "flame", "item": "dpo-star: helpful pairs", "reason": "no usable judge"}
    assert lost | {"n": 2} in composition.dropped
    with pytest.raises(InputError, match=r"flame\.sft\.dpo: its pairs go by helpfulness, but"):
        build_pairs(files, monkeypatch, "dpo")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdicts.jsonl": verified("a#0", "s", "s")}, r"a#1 has 4 claim\(s\) and 0 verdict"),
        (
            {"splittings.jsonl": [Splitting(response="a#0", state="ok", claims=2)]},
            "a#1 was not spl",
        ),
        ({"responses.jsonl": [response("a", 0)]}, "response a#1 was judged, but should not have"),
        ({"responses.jsonl": [response("z", 0)]}, "'z' has no decision"),
    ],
)
def test_files_of_different_runs_are_told_apart(second_stage, monkeypatch, change, message):
    for name, rows in change.items():
        second_stage(name, rows)
    with pytest.raises(InputError, match=message):
        build_pairs(second_stage, monkeypatch)


def test_facttune_by_confidence_from_claims_to_pairs(second_stage, monkeypatch):
    """a#0 claims two things, of one of which nothing is asked; a#1 claims four."""
    files = second_stage
    names = [("a#0", 0), ("a#0", 1), *(("a#1", n) for n in range(4))]
    claims = [
        Claim(id=f"{name}.{n}", response=name, topic="Ada", sentence=0, text=f"Claim {n}.")
        for name, n in names
    ]
    files("claims.jsonl", claims)
    program(
        monkeypatch, "write_facttune_questions", claims=files("claims.jsonl"),
        requests=files("questions.jsonl"),
    )  # fmt: skip
    asked = read_unique_rows(files("questions.jsonl"), Request)
    assert [one.claim for one in asked] == [one.id for one in claims]
    texts = {one.id: f" What of {one.claim}?" for one in asked} | {asked[1].id: " Ada did."}
    program(
        monkeypatch, "write_facttune_answers", question_requests=files("questions.jsonl"),
        question_generations=files("asked.jsonl", generated(asked, texts)), name="x/mc",
        requests=files("answers.jsonl"), dropped=files("dropped.json"),
    )  # fmt: skip
    lost = {"stage": "flame", "item": "claims to ask about", "reason": "no question", "n": 1}
    assert read_json(files("dropped.json")) == {"name": "x/mc", "kept": 5, "dropped": [lost]}
    requests = read_unique_rows(files("answers.jsonl"), Request)
    how = {one.sampling for one in requests}
    assert [(one.n, one.temperature, one.top_p, one.max_tokens) for one in how] == [
        (20, 1, 0.9, 15)
    ]
    # The base is sure of a#0's one claim (3 of 4), and less of a#1's (a half of the time).
    says = {one.id: ["Rome"] * 10 + [f"x{n}" for n in range(10)] for one in requests}
    says[requests[0].id] = ["Rome"] * 15 + ["Bonn"] * 5
    files("answered.jsonl", generated(requests, says))
    program(
        monkeypatch, "measure_confidence", claims=files("claims.jsonl"),
        requests=files("answers.jsonl"), generations=files("answered.jsonl"),
        confidence=files("confidence.jsonl"),
    )  # fmt: skip
    measured = read_unique_rows(files("confidence.jsonl"), Factuality)
    assert [(one.id, one.score, one.claims) for one in measured] == [
        ("a#0", 0.75, 1), ("a#1", 0.5, 4)
    ]  # fmt: skip

    rows, composition = build_pairs(
        files, monkeypatch, "facttune-mc", confidence=files("confidence.jsonl")
    )
    assert {(one.source, one.chosen, one.rejected) for one in rows} == {
        ("factual", "First.", "Second.")
    }
    assert rows[0].chosen_scores["factual"] == 0.75
    assert composition.parts == {"factual": 1} and composition.counted["factual_mean"] == 0.625

    for given in (
        {},
        {"confidence": files("confidence.jsonl"), "verdicts": files("answers.jsonl")},
    ):
        with pytest.raises(InputError, match=r"set facttune-mc: .* those of --confidence"):
            build_pairs(files, monkeypatch, "facttune-mc", **given)
    with pytest.raises(InputError, match=r"set facttune: .* those of --verdicts"):
        build_pairs(files, monkeypatch, "facttune", confidence=files("confidence.jsonl"))
    too_many = [one.model_copy(update={"claims": one.claims + 2}) for one in measured]
    files("confidence.jsonl", too_many)
    with pytest.raises(InputError, match=r"a#0 has 2 claim\(s\) and 3 confidence\(s\)"):
        build_pairs(files, monkeypatch, "facttune-mc", confidence=files("confidence.jsonl"))


def test_responses_without_claims_are_asked_nothing(files, monkeypatch):
    files("claims.jsonl", [])
    program(
        monkeypatch, "write_facttune_questions", claims=files("claims.jsonl"),
        requests=files("questions.jsonl"),
    )  # fmt: skip
    program(
        monkeypatch, "write_facttune_answers", question_requests=files("questions.jsonl"),
        question_generations=files("none.jsonl", []), name="x/mc", requests=files("answers.jsonl"),
        dropped=files("dropped.json"),
    )  # fmt: skip
    program(
        monkeypatch, "measure_confidence", claims=files("claims.jsonl"),
        requests=files("answers.jsonl"), generations=files("none.jsonl"),
        confidence=files("confidence.jsonl"),
    )  # fmt: skip
    assert files("confidence.jsonl").read_text() == ""
