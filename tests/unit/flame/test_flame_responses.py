"""The programs from requests to responses, and from responses to claims."""

import pytest
from flame_data import answered, response
from flame_stages import ASKED, DECISIONS, generated
from plumbline.claims.records import Claim, Splitting
from plumbline.records import Message, Request
from plumbline.responses.drawn import DrawnResponse
from plumbline.storage.files import read_json, read_rows, read_unique_rows
from programs import program


def test_responses_from_requests_to_rows(files, monkeypatch):
    sets = [files("a.jsonl", ASKED[:2]), files("b.jsonl", ASKED[1:3])]
    options = {"instructions": sets, "form": "chat", "max_tokens": 9}
    options["requests"] = files("requests.jsonl")
    program(monkeypatch, "write_responses", **options, samples=2, temperature=0.5, top_p=0.9)
    requests = read_unique_rows(files("requests.jsonl"), Request)
    assert [one.instruction for one in requests] == ["a", "b", "c"]
    assert requests[0].messages == [Message(role="user", content="Who was Ada?")]
    how = requests[0].sampling
    assert (how.n, how.temperature, how.top_p, how.max_tokens) == (2, 0.5, 0.9, 9)

    generations = [
        *answered(requests[0], "Long ago", " there was ", finish="length"),
        *answered(requests[1], "La", "la"),
        *answered(requests[2], "", "Here."),
    ]
    options = {
        "instructions": sets, "requests": files("requests.jsonl"), "name": "x/responses",
        "stage": "flame",
        "generations": files("generations.jsonl", generations),
        "responses": files("responses.jsonl"), "dropped": files("dropped.json"),
    }  # fmt: skip
    program(monkeypatch, "collect_responses", **options)
    found = read_unique_rows(files("responses.jsonl"), DrawnResponse)
    assert [(one.id, one.topic, one.text) for one in found] == [
        ("b#0", "Sing a song.", "La"), ("b#1", "Sing a song.", "la"),
        ("c#1", "Where is Peru?", "Here."),
    ]  # fmt: skip
    lost = {"stage": "flame", "item": "responses"}
    assert read_json(files("dropped.json")) == {
        "name": "x/responses",
        "kept": 3,
        "dropped": [{**lost, "reason": "empty", "n": 1}, {**lost, "reason": "unfinished", "n": 2}],
    }
    program(monkeypatch, "collect_responses", **options, unfinished=True)
    assert [one.id for one in read_rows(files("responses.jsonl"), DrawnResponse)][:2] == [
        "a#0",
        "a#1",
    ]


def test_greedy_responses_are_one_each(files, monkeypatch):
    program(
        monkeypatch, "write_responses", instructions=[files("a.jsonl", ASKED)], form="plain",
        samples=4, temperature=0, top_p=0.9, max_tokens=9, requests=files("requests.jsonl"),
    )  # fmt: skip
    how = {one.sampling for one in read_rows(files("requests.jsonl"), Request)}
    assert [(one.n, one.temperature, one.top_p) for one in how] == [(1, 0, 1)]


SAID = [
    response("a", 0, "Ada was born in London and died in Rome. She knew Bob."),
    response("a", 1, "I'm sorry, I cannot help with that."),
    response("b", 0, "La la la."),
]
SPLIT = {
    "a#0": ["Ada was born in London.", "Ada died in Rome.", "Ada knew Bob."],
    "b#0": ["La la la."],
}


def named(responses):
    """The responses with a name as their topic, as prompts about entities have it."""
    return [one.model_copy(update={"topic": "Ada"}) for one in responses]


@pytest.mark.parametrize(("decided", "names"), [(True, ["a#0", "a#1"]), (False, None)])
def test_claims_by_rule(files, monkeypatch, decided, names):
    only = {"decisions": files("decisions.jsonl", DECISIONS)} if decided else {}
    program(
        monkeypatch, "split_claims", responses=files("responses.jsonl", named(SAID)),
        claims=files("claims.jsonl"), splittings=files("splittings.jsonl"), **only,
    )  # fmt: skip
    names = names or ["a#0", "a#1", "b#0"]
    splittings = list(read_rows(files("splittings.jsonl"), Splitting))
    assert [one.response for one in splittings] == names
    assert [one.state for one in splittings] == ["ok", "refused", "ok"][: len(names)]
    found = [(one.response, one.text) for one in read_rows(files("claims.jsonl"), Claim)]
    assert found == [(name, text) for name in names for text in SPLIT.get(name, [])]


def test_claims_by_a_model(files, monkeypatch):
    options = {
        "responses": files("responses.jsonl", named(SAID)),
        "decisions": files("decisions.jsonl", DECISIONS),
    }
    program(
        monkeypatch, "write_claim_requests", **options, max_tokens=33,
        requests=files("requests.jsonl"),
    )  # fmt: skip
    requests = read_unique_rows(files("requests.jsonl"), Request)
    assert [(one.response, one.sentence) for one in requests] == [("a#0", 0), ("a#0", 1)]
    assert requests[0].sampling.max_tokens == 33
    texts = {requests[0].id: "- Ada lived.\n- Ada died.", requests[1].id: "Well."}
    program(
        monkeypatch, "split_claims", **options, claims=files("claims.jsonl"),
        generations=files("generations.jsonl", generated(requests, texts)),
        splittings=files("splittings.jsonl"),
    )  # fmt: skip
    claims = [one.text for one in read_rows(files("claims.jsonl"), Claim)]
    assert claims == ["Ada lived.", "Ada died."]
    splitting, refused = read_rows(files("splittings.jsonl"), Splitting)
    assert (splitting.unparsable, splitting.claims, refused.state) == (1, 2, "refused")
