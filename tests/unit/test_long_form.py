"""Long responses and comparisons as measured items."""

import math

import pytest
from plumbline.claims.records import Claim, Response, Splitting, Verdict
from plumbline.data.instruction_sets import Prompt
from plumbline.evaluation.items import item_metrics
from plumbline.evaluation.long_form import long_form_items, win_rate_items
from plumbline.storage.files import InputError


def prompt(name, domain="id", topic=None):
    about = {"domain": domain, "topic": topic}
    return Prompt(id=name, instruction=f"Say {name}.", source="test", **about)


def response(name, text):
    return Response(id=f"{name}#0", prompt=f"Say {name}.", topic=name, text=text)


def splitting(name, state="ok", claims=0):
    return Splitting(response=f"{name}#0", state=state, claims=claims)


def checked(name, *verdicts):
    """Claims of a response with these verdicts: s, r or u."""
    words = {"s": "supported", "r": "refuted", "u": "unverifiable"}
    pairs = [
        (
            Claim(id=f"{name}.{i}", response=f"{name}#0", topic=name, sentence=0, text="So."),
            Verdict(
                claim=f"{name}.{i}", response=f"{name}#0", verdict=words[one], verifier="table"
            ),
        )
        for i, one in enumerate(verdicts)
    ]
    return [claim for claim, _ in pairs], [verdict for _, verdict in pairs]


def measured(prompts, responses, splittings, claims=(), verdicts=(), gamma=10, ks=(2,)):
    return long_form_items(prompts, responses, splittings, claims, verdicts, gamma=gamma, ks=ks)


def test_each_prompt_is_an_item_with_every_measure():
    prompts = [prompt("a", "id", "Rome"), prompt("b", "ood"), prompt("c"), prompt("d")]
    responses = {
        "a": response("a", "It is old  and\nit is big."),
        "b": response("b", "I do not know."),
        "d": response("d", "??"),
    }
    splittings = [
        splitting("a", claims=4), splitting("b", "refused"), splitting("d", "unparsable")
    ]  # fmt: skip
    first, second, third, fourth = measured(
        prompts, responses, splittings, *checked("a", "s", "s", "s", "u")
    )
    assert (first.id, first.task, first.domain, first.cluster) == ("a", "long_form", "id", "Rome")
    assert first.metrics == {
        "split_failed": 0, "responded": 1, "recall_at_2": 1, "f1_at_2": 1, "f1": 1,
        "factscore": 0.75, "factscore_penalised": pytest.approx(0.75 * math.exp(1 - 10 / 4)),
        "claims": 4, "decided": 3, "supported": 3, "refuted": 0, "unverifiable": 1, "precision": 1,
        "coverage": 0.75, "undecided": 0, "words": 7, "cut_off": 0,
    }  # fmt: skip
    nothing = {
        "split_failed": 0, "responded": 0, "undecided": 1, "recall_at_2": 0, "f1_at_2": 0, "f1": 0,
        "claims": 0, "decided": 0, "supported": 0, "refuted": 0, "unverifiable": 0, "cut_off": 0,
    }  # fmt: skip
    assert (second.domain, second.cluster) == ("ood", "b")
    assert second.metrics == nothing | {"words": 4}
    assert third.metrics == nothing | {"words": 0}  # an empty response was not kept
    assert fourth.metrics == {"split_failed": 1, "words": 1, "cut_off": 0}
    states = [one.split_state for one in (first, second, third, fourth)]
    assert states == ["ok", "refused", "empty", "unparsable"]


def test_a_response_that_was_not_split_is_an_error():
    with pytest.raises(InputError, match="response a#0 was not split"):
        measured([prompt("a")], {"a": response("a", "So.")}, [])
    claims, verdicts = checked("a", "s")
    with pytest.raises(InputError, match="1 claim"):
        measured([prompt("a")], {"a": response("a", "So.")}, [splitting("a")], claims)
    assert verdicts


def test_a_measure_one_side_lacks_is_left_out_of_the_difference_alone():
    prompts = [prompt(name) for name in "abc"]
    answers = {name: response(name, "So.") for name in "abc"}
    ok, refused = splitting, lambda name: splitting(name, "refused")
    tuned = measured(
        prompts, answers, [ok("a"), ok("b"), refused("c")],
        *(x + y for x, y in zip(checked("a", "s", "s"), checked("b", "s", "r"), strict=True)),
    )  # fmt: skip
    base = measured(
        prompts, answers, [refused("a"), ok("b"), ok("c")],
        *(x + y for x, y in zip(checked("b", "r", "r"), checked("c", "s"), strict=True)),
    )  # fmt: skip
    about = {"model": "m", "seed": 1, "checkpoint": "tuned", "parent": "base"}
    rows = item_metrics([tuned], base, **about, confidence=0.95)
    found = {row.metric: (row.value, row.n) for row in rows}
    assert found["factscore"] == (0.75, 2)
    assert found["factscore_vs_base"] == (0.5, 1)  # b alone has claims of both
    assert found["responded_vs_base"] == (0, 3)


def test_wins_are_means_of_both_orders():
    preferred = {"a": (0.9, 0.7), "b": (0.9, 0.2), "c": (0.5, 0.5), "d": (0.5, 0.6)}
    items = win_rate_items([prompt(name, "ood") for name in "abcde"], preferred)
    assert [item.metrics for item in items] == [
        {"win": pytest.approx(0.8), "consistent": 1},
        {"win": pytest.approx(0.55), "consistent": 0},
        {"win": 0.5, "consistent": 1},
        {"win": pytest.approx(0.55), "consistent": 0},
        {},
    ]
    assert {(item.task, item.domain) for item in items} == {("win_rate", "ood")}
