"""The programs that measure: responses, comparisons, the verifier itself, the states."""

import json

import pytest
from flame_data import response
from flame_stages import ASKED, CAPITALS, build_pairs, decision, question, verified
from plumbline.claims.records import Claim, Splitting
from plumbline.data.select import order
from plumbline.evaluation.statistics import share
from plumbline.records import Item
from plumbline.storage.files import InputError, read_json, read_unique_rows
from programs import csv_rows, listed, program


def test_long_responses_are_measured(files, monkeypatch):
    prompts = [ASKED[0].model_copy(update={"domain": "id"}), ASKED[2]]
    claims = [
        Claim(id=f"a#0.{i}", response="a#0", topic="a", sentence=0, text="So.") for i in range(2)
    ]
    options = {
        "instructions": [files("a.jsonl", prompts)],
        "responses": files("responses.jsonl", [response("a", 0, "Ada lived in London.")]),
        "splittings": files("splittings.jsonl", [Splitting(response="a#0", state="ok", claims=2)]),
        "claims": files("claims.jsonl", claims),
        "verdicts": files("verdicts.jsonl", verified("a#0", "s", "u")),
        "gamma": 0,
        "k": [2, 4],
        "items": files("items.jsonl"),
    }
    program(monkeypatch, "measure_long_form", **options)
    first, second = read_unique_rows(files("items.jsonl"), Item)
    assert (first.id, first.domain, second.id, second.domain) == ("a", "id", "c", "ood")
    assert first.metrics == {
        "split_failed": 0, "responded": 1, "undecided": 0, "recall_at_2": 0.5,
        "f1": pytest.approx(2 / 3), "f1_at_2": pytest.approx(2 / 3), "recall_at_4": 0.25,
        "f1_at_4": pytest.approx(0.4), "factscore": 0.5, "precision": 1, "coverage": 0.5,
        "claims": 2, "decided": 1, "supported": 1, "refuted": 0, "unverifiable": 1, "words": 4,
        "cut_off": 0,
    }  # fmt: skip
    assert (second.metrics["responded"], second.metrics["words"]) == (0, 0)
    for rows, message in [
        ([response("b")], "response b#0: 'b' is not among"),
        ([response("a"), response("a", 1)], "'a' has two responses"),
    ]:
        files("responses.jsonl", rows)
        with pytest.raises(InputError, match=message):
            program(monkeypatch, "measure_long_form", **options)


def test_the_verifier_is_put_to_the_test(files, monkeypatch):
    facts = [
        *(question("country_capital", name, city) for name, city in CAPITALS.items()),
        *(question("element_symbol", *row) for row in (("gold", "Au"), ("iron", "Fe"))),
    ]
    options = {
        "facts": files("facts.jsonl", facts), "store": files("store"), "n": 6, "seed": 2,
        "table": files("table.csv"), "labelled": files("labelled.tsv"),
    }  # fmt: skip
    names = [
        "id",
        "part",
        "drawn",
        "checkpoint",
        "topic",
        "prompt",
        "claim",
        "first",
        "second",
        "label",
    ]
    read = [
        ("a", "tuning", "Gold has the symbol Au.", "true"),
        ("b", "held_out", "Iron has the symbol Au.", "false"),
        ("c", "held_out", "Iron is old.", "cannot say"),
    ]
    lines = [
        names,
        *(
            [i, part, "random", "base", "t", "?", text, *[label] * 3]
            for i, part, text, label in read
        ),
    ]
    files("labelled.tsv").write_text("\n".join(map("\t".join, lines)))
    program(monkeypatch, "check_verifier", **options, verifier='{"kind": "table"}')
    rows = csv_rows(files("table.csv"))
    models = {
        (row["relation"], row["metric"]): (float(row["value"]), row["n"])
        for row in rows
        if row["claims"] == "models"
    }
    assert models == {
        ("All", "precision"): (1, "1"),
        ("All", "refuted_precision"): (1, "1"),
        ("All", "recall"): (1, "1"),
        ("All", "coverage"): (2 / 3, "3"),
        ("held out", "refuted_precision"): (1, "1"),
        ("held out", "coverage"): (0.5, "2"),
    }
    found = {(r["relation"], r["metric"]): r for r in rows if r["claims"] == "templates"}
    assert len(found) == 3 * 4
    expected = share(6, 6)
    row = found["All", "accuracy"]
    assert [float(row[name]) for name in ("value", "low", "high", "n")] == [
        1, pytest.approx(expected.low), 1, 6,
    ]  # fmt: skip
    assert [found["All", name]["n"] for name in ("precision", "recall", "coverage")] == list("336")
    assert {found["country_capital", "coverage"]["n"], found["element_symbol", "coverage"]["n"]} == {
        "4", "2",
    }  # fmt: skip

    verifier = {"kind": "retrieval", "passages": {"format": "facts"}}
    with pytest.raises(InputError, match="--judge: missing"):
        program(monkeypatch, "check_verifier", **options, verifier=json.dumps(verifier))
    verifier["passages"] = {"format": "rows", "source": "file:pages.jsonl"}
    with pytest.raises(InputError, match="--passages: missing"):
        program(monkeypatch, "check_verifier", **options, verifier=json.dumps(verifier))


def test_agreement_of_a_verifier_that_errs():
    from plumbline.evaluation.verifier_check import agreement_rows
    from plumbline.verification.truth import LabelledClaim

    # True ones: supported, supported, refuted, unverifiable; false ones: supported, refuted.
    cases = [(True, "s"), (True, "s"), (True, "r"), (True, "u"), (False, "s"), (False, "r")]
    claims = [
        LabelledClaim(
            id=f"q.{i}", response="q", topic="q", sentence=0, text="So.", true=true,
            relation="odd" if i % 2 else "even",
        )
        for i, (true, _) in enumerate(cases)
    ]  # fmt: skip
    verdicts = verified("q", *(verdict for _, verdict in cases))
    rows = {(r["relation"], r["metric"]): r for r in agreement_rows(verdicts, claims)}
    found = {key[1]: (row["value"], row["n"]) for key, row in rows.items() if key[0] == "All"}
    assert found == {
        "accuracy": (3 / 5, 5), "precision": (2 / 3, 3), "recall": (2 / 4, 4), "coverage": (5 / 6, 6),
    }  # fmt: skip
    assert (rows["even", "precision"]["value"], rows["even", "precision"]["n"]) == (0.5, 2)
    expected = share(5, 6)
    assert (rows["All", "coverage"]["low"], rows["All", "coverage"]["high"]) == (
        expected.low, expected.high,
    )  # fmt: skip


def test_every_state_is_counted_and_some_responses_are_shown(second_stage, monkeypatch):
    files = second_stage
    build_pairs(files, monkeypatch)
    decisions = [
        decision("a", True, label=True), decision("b", False, label=True), decision("c", True),
        decision("d", False, label=False),
    ]  # fmt: skip
    files("decisions.jsonl", decisions)
    splittings = [
        Splitting(response="a#0", state="ok", sentences=3, unparsable=1, cut=2, claims=2),
        Splitting(response="b#0", state="refused"),
    ]
    claims = [
        Claim(id=f"a#0.{i}", response="a#0", topic="a", sentence=i, text=f"Claim {i}.")
        for i in range(2)
    ]
    verdicts = verified("a#0", "s", "u")
    verdicts[0].evidence = [{"title": "Ada", "text": "She lived."}]
    verdicts[1].state = "no page"
    said = [response("a", 1, "Later."), response("a", 0, "Now."), response("b", 0, "No.")]
    shown = {
        "responses": str(files("said.jsonl", said)), "claims": str(files("claims.jsonl", claims)),
        "splittings": str(files("split.jsonl", splittings)),
        "verdicts": str(files("checked.jsonl", verdicts)),
    }  # fmt: skip
    other = {
        **shown,
        "responses": str(files("other.jsonl", [response("b", 0, "No."), response("c")])),
    }
    rows = [
        {"model": "m", "seed": 0, "checkpoint": "base", **shown},
        {
            "model": "m", "seed": 1, "checkpoint": "flame.sft.dpo-star",
            "composition": str(files("composition.json")),
            "decisions": str(files("decisions.jsonl")),
        },
    ]  # fmt: skip

    def tabulate(rows, **more):
        program(
            monkeypatch, "tabulate_states", rows=listed(files("."), rows), table=files("states.csv"),
            sample=files("sample.json"), **more,
        )  # fmt: skip
        found = csv_rows(files("states.csv"))
        states = {(r["checkpoint"], r["item"], r["state"]): int(r["n"]) for r in found}
        assert len(states) == len(found)
        return states, read_json(files("sample.json"))["responses"]

    states, sample = tabulate(rows)
    base, tuned = "base", "flame.sft.dpo-star"
    assert states == {
        (base, "responses split", "ok"): 1, (base, "responses split", "refused"): 1,
        (base, "sentences", "read"): 2, (base, "sentences", "unparsable"): 1,
        (base, "claims", "kept"): 2, (base, "claims", "cut off"): 2,
        (base, "claims", "said before"): 0,
        (base, "verdicts", "supported"): 1, (base, "verdicts", "unverifiable: no page"): 1,
        (tuned, "instructions", "fact-based"): 2, (tuned, "instructions", "not fact-based"): 2,
        (tuned, "instructions with a label", "fact-based, decided fact-based"): 1,
        (tuned, "instructions with a label", "fact-based, decided not fact-based"): 1,
        (tuned, "instructions with a label", "not fact-based, decided not fact-based"): 1,
        (tuned, "responses judged", "judged"): 4,
        (tuned, "responses judged", "not judged"): 0,
        (tuned, "pairs", "factual"): 1, (tuned, "pairs", "helpful"): 2,
    }  # fmt: skip
    first, second = sorted(sample, key=lambda one: one["instruction"])
    assert first == {
        "model": "m", "seed": 0, "checkpoint": "base", "instruction": "a", "topic": "a",
        "prompt": "Say a.", "text": "Now.", "state": "ok",
        "claims": [
            {
                "text": "Claim 0.", "sentence": 0, "verdict": "supported", "state": "ok",
                "score": None, "evidence": [{"title": "Ada", "text": "She lived."}],
            },
            {
                "text": "Claim 1.", "sentence": 1, "verdict": "unverifiable", "state": "no page",
                "score": None, "evidence": [],
            },
        ],
    }  # fmt: skip
    assert (second["state"], second["claims"]) == ("refused", [])

    # What all have answered is shown, and the draw does not depend on the order of responses.
    _, sample = tabulate([rows[0], {**rows[1], **other}])
    assert [(one["checkpoint"], one["instruction"]) for one in sample] == [
        (base, "b"),
        (tuned, "b"),
    ]
    _, sample = tabulate(rows[:1], shown=1)
    assert [one["instruction"] for one in sample] == sorted("ab", key=lambda name: order(name, 1))[
        :1
    ]
    states, sample = tabulate(rows[1:])
    assert sample == [] and not any(item == "verdicts" for _, item, _ in states)
