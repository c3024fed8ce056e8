"""The first stage's programs: own answers, answers with passages, the training file."""

import pytest
from flame_data import answered
from flame_stages import ASKED, DECISIONS, build_sft, generated, knowing, question
from plumbline.methods.flame.own_answers import own_answer_requests
from plumbline.records import Example, Request
from plumbline.storage.files import InputError, read_rows, read_unique_rows
from plumbline.verification.passages import Passage
from programs import program


@pytest.mark.parametrize(("decided", "ids"), [(True, "ac"), (False, "abcd")])
def test_own_answers_are_asked_for_where_they_are_needed(first_stage, monkeypatch, decided, ids):
    files = first_stage
    program(
        monkeypatch, "write_own_answers", instructions=files("instructions.jsonl"),
        shots=2, samples=3, temperature=0.6, top_p=0.8, max_tokens=50,
        requests=files("requests.jsonl"),
        **({"decisions": files("decisions.jsonl")} if decided else {}),
    )  # fmt: skip
    found = read_unique_rows(files("requests.jsonl"), Request)
    wanted = own_answer_requests(
        [one for one in ASKED if one.id in ids], ASKED, max_tokens=50, shots=2, samples=3,
        temperature=0.6, top_p=0.8,
    )  # fmt: skip
    assert found == list(wanted)
    assert {request.sampling.n for request in found} == {3}


def test_the_first_stages_files(first_stage, monkeypatch):
    files = first_stage
    human, composition = build_sft(files, monkeypatch, "sft")
    assert human.pop("c")[0] in ASKED[2].responses
    assert human == {"a": ("A queen.", "human"), "b": ("La.", "human")}
    lost = {"stage": "flame", "item": "sft", "reason": "no human response", "n": 1}
    assert composition.model_dump() == {
        "name": "flame.sft", "rows": 3, "parts": {"human": 3, "own": 0, "retrieved": 0},
        "counted": {"fact_based": 2}, "dropped": [lost],
    }  # fmt: skip

    with pytest.raises(InputError, match="set sft-star: give --decisions"):
        build_sft(files, monkeypatch, "sft-star")
    requests = list(own_answer_requests([ASKED[0], ASKED[2]], ASKED, max_tokens=9, shots=2))
    texts = dict(zip((one.id for one in requests), (["She was."] * 10, [""] * 10), strict=True))
    own = {
        "own_requests": files("requests.jsonl", requests),
        "own_generations": files("generations.jsonl", generated(requests, texts)),
    }
    star, composition = build_sft(files, monkeypatch, "sft-star", **own)
    assert star == {"a": ("She was.", "own"), "b": ("La.", "human")}
    assert composition.parts == {"human": 1, "own": 1, "retrieved": 0}
    assert {(row["item"], row["reason"]): row["n"] for row in composition.dropped} == {
        ("own answers", "repetition"): 9, ("own answers", "empty"): 10,
        ("sft-star", "no own answer"): 1, ("sft-star", "no human response"): 1,
    }  # fmt: skip


def test_the_checkpoint_that_decides_is_trained_before_anything_is_decided(files, monkeypatch):
    files("instructions.jsonl", ASKED)
    human, composition = build_sft(files, monkeypatch, "sft", decided=False)
    assert set(human) == set("abc") and composition.counted["fact_based"] == 0
    with pytest.raises(InputError, match="set sft-star: give --decisions"):
        build_sft(files, monkeypatch, "sft-star", decided=False)


def test_the_first_stage_without_unknown(first_stage, monkeypatch):
    whole, before = build_sft(first_stage, monkeypatch, "sft")
    # The subject stands in the instruction, the answer in the response.
    known = knowing(first_stage, "Ada", "queen")
    found, composition = build_sft(first_stage, monkeypatch, "sft", **known)
    assert found == {name: one for name, one in whole.items() if name != "a"}
    assert (composition.rows, composition.parts["human"]) == (2, 2)
    assert composition.counted["fact_based"] == 1
    assert composition.counted["knowledge"] == {
        "known": 0, "unknown": 1, "not_annotated": 2, "unknown_dropped": 1,
    }  # fmt: skip
    assert composition.dropped == [
        {"stage": "flame", "item": "sft examples", "reason": "Unknown to the base", "n": 1},
        *before.dropped,
    ]


def test_answers_with_passages_as_teachers(first_stage, monkeypatch):
    """From facts to examples: what is asked shows a passage, what is trained on does not."""
    files = first_stage
    facts = [
        question("country_capital", "Peru", "Lima", split="train"),
        question("country_capital", "Chile", "Santiago", split="test"),
    ]
    options = {
        "instructions": files("instructions.jsonl"), "decisions": files("decisions.jsonl"), "k": 2,
        "shots": 1, "samples": 2, "temperature": 0.6, "top_p": 0.8, "max_tokens": 50,
        "facts": files("facts.jsonl", facts), "requests": files("requests.jsonl"),
    }  # fmt: skip
    program(monkeypatch, "write_rag_answers", **options, passages='{"format": "facts"}')
    (request,) = read_unique_rows(files("requests.jsonl"), Request)  # nothing speaks of Ada
    assert (request.instruction, request.sampling.n) == ("c", 2)
    assert request.prompt.endswith(
        "### Instruction:\nPassages:\n- Peru: The capital of Peru is Lima.\n\nWhere is Peru?\n\n"
        "### Response:\n"
    )
    own = {
        "own_requests": files("requests.jsonl"),
        "own_generations": files("generations.jsonl", answered(request, "Around Lima.", "")),
    }
    rag, composition = build_sft(files, monkeypatch, "sft-rag", **own)
    assert rag == {"b": ("La.", "human"), "c": ("Around Lima.", "retrieved")}
    (row,) = (one for one in read_rows(files("examples.jsonl"), Example) if one.instruction == "c")
    assert row.prompt == "### Instruction:\nWhere is Peru?\n\n### Response:\n"
    assert composition.parts == {"human": 1, "own": 0, "retrieved": 1}
    assert {(row["item"], row["reason"]): row["n"] for row in composition.dropped} == {
        ("own answers", "empty"): 1, ("sft-rag", "no human response"): 1,
        ("sft-rag", "no retrieved answer"): 1,
    }  # fmt: skip

    # Passages that were fetched are found by their marker.
    pages = files("pages.jsonl", [Passage(id="ada", title="Ada", text="Ada wrote programs.")])
    marker = files("source.json", {"source": "file:pages.jsonl", "path": pages.name})
    rows = '{"format": "rows", "source": "file:pages.jsonl"}'
    program(monkeypatch, "write_rag_answers", **options, passages=rows, marker=marker)
    (request,) = read_unique_rows(files("requests.jsonl"), Request)
    assert (request.instruction, request.passages) == ("a", ["ada#0"])


def test_an_instruction_without_a_decision_is_an_error(first_stage, monkeypatch):
    first_stage("decisions.jsonl", DECISIONS[:3])
    with pytest.raises(InputError, match="'d' has no decision"):
        build_sft(first_stage, monkeypatch, "sft")


def test_the_states_of_a_first_stage(first_stage, monkeypatch):
    from plumbline.responses.states import of_composition

    _, composition = build_sft(first_stage, monkeypatch, "sft")
    assert list(of_composition(composition)) == [
        ("examples", "human", 3), ("examples", "own", 0), ("examples", "retrieved", 0),
        ("sft", "no human response", 1),
    ]  # fmt: skip
