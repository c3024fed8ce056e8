"""The endpoint judge against a real local server that misbehaves on command."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from judge_server import Server
from plumbline.claims.records import Claim, Verdict
from plumbline.config.verification import Endpoint, Passages, Verifier
from plumbline.storage.files import InputError, read_rows, write_rows
from plumbline.verification import endpoint
from plumbline.verification.endpoint import EndpointError, EndpointJudge, key_from, parse
from plumbline.verification.judging import Case, JudgingVerifier
from plumbline.verification.passages import Passage
from plumbline.verification.search import PassageStore
from programs import program
from pydantic import TypeAdapter, ValidationError

SECRET = "sk-very-secret-0123456789"


@pytest.fixture
def serve():
    servers = []

    def start(*script, **how):
        servers.append(Server(script, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def settings(url, **more):
    passages = Passages(format="rows", source="file:pages.jsonl")
    defaults = {"concurrency": 1, "timeout": 5, "retries": 3}
    return Endpoint(
        kind="endpoint", url=url, model="judge-1", passages=passages, **(defaults | more)
    )


def judge_of(server, key=None, **more):
    return EndpointJudge(settings(server.url, **more), key, first_pause=0.01)


def case(text="bread", name="c"):
    claim = Claim(id=name, response="r", topic="Ada", sentence=0, text=text)
    passages = [{"title": "Best", "text": "b"}, {"title": "Worse", "text": "w"}]
    return Case(claim, passages)


def test_what_is_asked_and_what_comes_back(serve):
    server = serve("True", "False.", "The answer is **Unknown**.", "maybe")
    judge = judge_of(server, key=SECRET, max_tokens=7)
    done = dict(judge.judge([case() for _ in range(4)]))
    assert [(done[n].verdict, done[n].state) for n in range(4)] == [
        ("supported", "ok"),
        ("refuted", "ok"),
        ("unverifiable", "ok"),
        ("unverifiable", "judge unparsable"),
    ]
    asked = server.asked[0]
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("judge-1", 0, 7)
    system, user = asked["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert user["content"].index("Worse") < user["content"].index("Best")
    assert "Statement about Ada: bread" in user["content"]
    assert server.paths == ["/v1/chat/completions"] * 4
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert (judge.prompt_tokens, judge.completion_tokens) == (400, 8)
    assert done[0].prompt_tokens == 100


def test_costs_are_counted(serve):
    judge = judge_of(serve(), input_price=2, output_price=50)
    list(judge.judge([case(), case()]))
    assert judge.cost() == "200 tokens of prompts, 4 of replies, cost 0.0006"


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("True", "supported"),
        (" false\n", "refuted"),
        ("Unknown.", "unverifiable"),
        ("True. It would be false to deny it.", "supported"),
        ("It is true, not false.", None),
        ("untrue", None),
        ("", None),
        ("<think>False? No, …</think>True", "supported"),
        ("<think>Is it true", None),
    ],
)
def test_replies(reply, verdict):
    assert parse(reply) == verdict


@pytest.mark.parametrize("step", [429, 500, 503, 408, "garbage", "empty", "hang up"])
def test_what_may_pass_is_tried_again(serve, step):
    server = serve(step, step)
    ((_, judgement),) = judge_of(server).judge([case()])
    assert judgement.verdict == "supported" and len(server.asked) == 3


def test_a_stall_is_given_up_and_tried_again(serve):
    server = serve("stall")
    ((_, judgement),) = judge_of(server, timeout=0.2).judge([case()])
    assert judgement.verdict == "supported" and len(server.asked) == 2


def test_seconds_of_retry_after_are_waited(serve):
    server = serve((429, {"Retry-After": "1"}))
    list(judge_of(server).judge([case()]))
    assert server.times[1] - server.times[0] >= 0.9


def test_a_date_of_retry_after_is_waited_for(serve):
    date = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    due = time.monotonic() + (date - datetime.now(UTC)).total_seconds()
    server = serve((429, {"Retry-After": format_datetime(date, usegmt=True)}))
    list(judge_of(server).judge([case()]))
    assert server.times[1] >= due - 0.1


def test_a_pause_too_long_is_an_error_at_once(serve):
    server = serve((503, {"Retry-After": "86400"}))
    with pytest.raises(EndpointError, match="86,400 s"):
        list(judge_of(server).judge([case()]))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("step", "key_env", "message"),
    [
        (401, "MY_KEY", "status 401. Check the key in the environment variable MY_KEY"),
        (403, None, "key_env"),
        (404, None, r"status 404. Check url and model \('judge-1'\)"),
        (302, None, "status 302"),
    ],
)
def test_what_will_not_pass_is_told_at_once(serve, step, key_env, message):
    server = serve(step)
    with pytest.raises(EndpointError, match=message) as error:
        list(judge_of(server, key=SECRET, key_env=key_env).judge([case()]))
    assert len(server.asked) == 1
    assert server.url.removesuffix("/v1") in str(error.value)


def test_one_refused_request_is_a_state_and_all_refused_an_error(serve):
    done = dict(judge_of(serve(400)).judge([case(), case("x")]))
    assert (done[0].verdict, done[0].state) == ("unverifiable", "judge refused")
    assert done[1].verdict == "refuted"
    with pytest.raises(EndpointError, match="refused every request"):
        list(judge_of(serve(422, 400)).judge([case(), case()]))


def test_a_dead_server_is_named_without_secrets_and_with_the_remedy(serve, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    server = serve()
    address = f"{server.url}?api_key={SECRET}&version=1"
    list(EndpointJudge(settings(address), SECRET, 0.01).judge([case()]))
    assert server.paths == [f"/v1/chat/completions?api_key={SECRET}&version=1"]
    server.stop()
    server.stop = lambda: None
    with pytest.raises(EndpointError) as error:
        list(EndpointJudge(settings(address, retries=1), SECRET, 0.01).judge([case()]))
    message = str(error.value)
    assert f"http://127.0.0.1:{server.server_address[1]}: connection failed" in message
    assert "2 times in a row" in message and "start again" in message
    assert error.value.__cause__ is None and error.value.__suppress_context__
    output = capfd.readouterr()
    ours = "".join(record.getMessage() for record in caplog.records if record.levelno > 10)
    assert SECRET not in message + ours + output.out + output.err


def test_requests_are_bounded_in_number_and_rate(serve):
    server = serve(slow=0.05)
    list(judge_of(server, concurrency=3).judge([case() for _ in range(9)]))
    assert server.most == 3
    server = serve()
    list(judge_of(server, concurrency=4, requests_per_minute=600).judge([case()] * 6))
    gaps = [two - one for one, two in zip(server.times, server.times[1:], strict=False)]
    assert sum(gaps) >= 0.45 and min(gaps) >= 0.05


# --- with the store: a server that dies midway and comes back -----------------------------------


PAGE = Passage(id="1", title="Ada", text="Ada baked bread.")


def claims_of(count):
    return [
        Claim(id=f"c{n}", response="r", topic="Ada", sentence=0, text=f"Ada baked {n} cakes")
        for n in range(count)
    ]


def test_a_server_that_dies_midway_costs_nothing_that_was_finished(serve, tmp_path):
    store = PassageStore([PAGE], 50)
    server = serve(*[None] * 4, *["hang up"] * 50)
    first = JudgingVerifier("endpoint", store, 1, judge_of(server), tmp_path)
    with pytest.raises(EndpointError, match="times in a row"):
        first.verify(claims_of(10))
    server.script = []
    before = len(server.asked)
    second = JudgingVerifier("endpoint", store, 1, judge_of(server, concurrency=3), tmp_path)
    verdicts = second.verify(claims_of(10))
    assert len(server.asked) - before == 6
    assert [v.claim for v in verdicts] == [f"c{n}" for n in range(10)]
    assert all(v.verdict == "supported" and v.evidence[0]["title"] == "Ada" for v in verdicts)
    other = EndpointJudge(
        settings(server.url, concurrency=1).model_copy(update={"model": "judge-2"}), None
    )
    JudgingVerifier("endpoint", store, 1, other, tmp_path).verify(claims_of(10))
    assert len(server.asked) - before == 16  # another model: all anew


def test_what_was_under_way_when_the_server_failed_is_kept(serve, tmp_path):
    server = serve(401, slow=0.2)
    judge = judge_of(server, concurrency=4)
    verifier = JudgingVerifier("endpoint", PassageStore([PAGE], 50), 1, judge, tmp_path)
    with pytest.raises(EndpointError, match="401"):
        verifier.verify(claims_of(30))
    (kept,) = tmp_path.glob("*.jsonl")
    assert len(kept.read_text().splitlines()) == len(server.asked) - 1
    assert len(server.asked) < 12  # those that were waiting are not asked


def test_a_server_that_comes_back_in_time_is_waited_for(serve):
    gone = serve()
    port = gone.server_address[1]
    gone.stop()
    gone.stop = lambda: None
    threading.Timer(0.4, lambda: serve(port=port)).start()
    judge = EndpointJudge(settings(f"http://127.0.0.1:{port}/v1", retries=12), None, 0.1)
    ((_, judgement),) = judge.judge([case()])
    assert judgement.verdict == "supported"


# --- configuration and program ------------------------------------------------------------------


def test_the_key_comes_from_the_environment_only():
    assert key_from({"K": f" {SECRET}\n"}, "K") == SECRET
    assert key_from({}, None) is None
    for environment in ({}, {"K": ""}, {"K": "sk\nsecret"}, {"K": "sk-ſecret"}):
        with pytest.raises(InputError, match="environment variable K holds no key") as error:
            key_from(environment, "K")
        assert "sk" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "localhost:8000"}, "not an address"),
        ({"url": "https://me:pw@host/v1"}, "contains a password"),
        ({"kind": "tabel"}, "table"),
        ({"passages": {"format": "rows"}}, "needs one"),
        ({"passages": {"format": "facts", "source": "file:x"}}, "not used with format: facts"),
        ({"passages": {"format": "rows", "source": "nonsense"}}, "unknown kind of source"),
        ({"keyenv": "X"}, "keyenv"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    given = settings("http://host/v1").model_dump() | change
    with pytest.raises((ValidationError, InputError), match=message):
        TypeAdapter(Verifier).validate_python(given)


def test_the_program_asks_only_for_what_is_missing(serve, tmp_path, monkeypatch):
    server = serve()
    write_rows(tmp_path / "claims.jsonl", claims_of(3))
    write_rows(tmp_path / "pages.jsonl", [PAGE])
    monkeypatch.setenv("THE_KEY", SECRET)
    section = settings(server.url, key_env="THE_KEY").model_dump_json()
    arguments = {
        "claims": tmp_path / "claims.jsonl",
        "verifier": section,
        "passages": tmp_path / "pages.jsonl",
        "store": tmp_path / "store",
        "verdicts": tmp_path / "verdicts.jsonl",
    }
    program(monkeypatch, "verify_claims", **arguments)
    program(monkeypatch, "verify_claims", **arguments)
    assert len(server.asked) == 3
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"
    verdicts = list(read_rows(tmp_path / "verdicts.jsonl", Verdict))
    assert [v.verifier for v in verdicts] == ["endpoint"] * 3
    for path in tmp_path.rglob("*.jsonl"):
        assert SECRET not in path.read_text()


def test_retry_after_forms():
    assert endpoint._retry_after("7") == 7
    assert endpoint._retry_after("-3") == endpoint._retry_after(None) == 0
    assert endpoint._retry_after("soon") == 0
