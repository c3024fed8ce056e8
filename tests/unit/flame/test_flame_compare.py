import pytest
from flame_data import answered, instruction
from plumbline.files import InputError
from plumbline.methods.flame.compare import (
    compare_requests,
    comparisons,
    parse_verdict,
    win_rate,
)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("B is vague.\nVerdict: A", "a"),
        ("Verdict: b.", "b"),
        ("**Verdict:** Tie", "tie"),
        ('"Verdict: A"\nOn reflection:\nVerdict: B', "b"),
        ("Verdict: A or B", None),
        ("Verdict: A, B or tie", None),
        ("Verdict: A/B", None),
        ("Verdict: Answer A", None),
        ("A is better", None),
        ("", None),
    ],
)
def test_the_last_verdict_counts(text, verdict):
    assert parse_verdict(text) == verdict


ASKED = [instruction(name) for name in "abcdefg"]
FIRST = {name: f"first {name}" for name in "abcdefg"}
SECOND = {name: f"second {name}" for name in "abcdef"} | {"g": " first g\n"}


def test_a_win_must_be_seen_in_both_orders():
    requests = list(compare_requests(ASKED, FIRST, SECOND, "chat"))
    assert [request.id for request in requests[:2]] == ["a/flame_compare#a", "a/flame_compare#b"]
    assert len(requests) == 12  # g's responses are the same
    verdicts = {
        "a": "AB",  # the first response is A, then B
        "b": "BA",
        "c": "AA",  # always the one that comes first
        "d": ("tie", "tie"),
        "e": ("A", "tie"),
        "f": ("A", "?"),
    }
    said = [verdict for pair in verdicts.values() for verdict in pair]
    generations = [
        one
        for request, verdict in zip(requests, said, strict=True)
        for one in answered(request, f"Verdict: {verdict}")
    ]
    rows = comparisons(ASKED, requests, generations)
    assert [(row.id, row.outcome, row.value) for row in rows] == [
        ("a", "win", 1),
        ("b", "loss", 0),
        ("c", "inconsistent", 0.5),
        ("d", "tie", 0.5),
        ("e", "inconsistent", 0.5),
        ("f", "unparsed", None),
        ("g", "identical", 0.5),
    ]
    assert win_rate(rows) == 0.5
    assert win_rate(rows[:1]) == 1
    assert win_rate(rows[5:6]) is None


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_the_orders_are_swapped_and_nothing_else(form):
    first, second = compare_requests(ASKED[:1], FIRST, SECOND, form)
    texts = [one.prompt or one.messages[-1].content for one in (first, second)]
    assert texts[0].index("first a") < texts[0].index("second a")
    swapped = (
        texts[1].replace("first a", "X").replace("second a", "first a").replace("X", "second a")
    )
    assert swapped == texts[0]


def test_a_missing_response_is_named():
    with pytest.raises(InputError, match="instruction b: a response is missing"):
        list(compare_requests(ASKED, FIRST, {"a": "x"}, "plain"))
