import pytest
from flame_data import answered, response
from plumbline.claims.records import Verdict
from plumbline.methods.flame.rewards import helpfulness, judge_requests, parse_score
from plumbline.responses.scores import factuality, scored


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Good.\nScore: 4", 4.0),
        ("Score: 4/5", 4.0),
        ("Score: 4.0", 4.0),
        ("**Score:** 3.5 / 5.", 3.5),
        ("**Score: 2**/5", 2.0),
        ("Score: <3>", 3.0),
        ("SCORE : 1 out of 5", 1.0),
        ("Score: 1 for relevance.\nScore: 2 for use.\nScore: 5", 5.0),  # the last one
        ("Score: 4\nScore: <total>", 4.0),
        ("Score: 7", 5.0),
        ("Score: -2", 0.0),
        ("Score: 8/10", None),
        ("Score: 3\nScore: 8/10", None),
        ("Score: <total>", None),
        ("Score:\n1. It is on the topic", None),
        ("I would give it 4 points", None),
        ("", None),
    ],
)
def test_the_last_score_counts(text, score):
    assert parse_score(text) == score


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_the_judge_sees_instruction_and_response_as_they_are(form):
    one = response("a", text="Use {response} and {instruction} in braces.")
    one.prompt = "What do {response} and {0} mean?"
    (request,) = judge_requests([one], form)
    text = request.prompt or request.messages[-1].content
    assert f"User: {one.prompt}\n\n<response>\n{one.text}\n</response>" in text
    assert text.count(one.text) == text.count(one.prompt) == 1
    assert (request.sampling.n, request.sampling.temperature, request.sampling.top_p) == (
        3,
        0.7,
        0.9,
    )


def test_readable_scores_are_averaged_and_counted():
    requests = list(judge_requests([response("a"), response("b"), response("c")], "chat"))
    texts = [("Score: 4", "Score: 3", "hm"), ("hm", "", "no"), ("Score: 1", "Score: 2", "Score: 6")]
    generations = [
        one
        for request, said in zip(requests, texts, strict=True)
        for one in answered(request, *said)
    ]
    rows = helpfulness(requests, generations[::-1])
    assert [(row.id, row.score, row.samples, row.parsed) for row in rows] == [
        ("a#0", 3.5, 3, 2),
        ("b#0", None, 3, 0),
        ("c#0", pytest.approx(8 / 3), 3, 3),
    ]


def verdicts(name, *decisions, verifier="retrieval"):
    return [
        Verdict(claim=f"{name}/{number}", response=name, verdict=decision, verifier=verifier)
        for number, decision in enumerate(decisions)
    ]


SAID = ("supported", "refuted", "supported", "unverifiable")


def test_a_judge_rewards_the_share_of_supported_claims():
    rows = factuality([*verdicts("a#0", *SAID), *verdicts("a#1", "refuted")])
    assert [(row.id, row.score, row.supported, row.decided, row.claims) for row in rows] == [
        ("a#0", 0.5, 2, 3, 4),
        ("a#1", 0.0, 0, 1, 1),
    ]


def test_the_table_rewards_what_it_decides_and_nothing_that_it_leaves_open():
    def reward(*decisions):
        (row,) = factuality(verdicts("a", *decisions, verifier="table"))
        return row.score

    assert reward(*SAID) == 3 / 5
    assert reward("unverifiable") == reward(*["unverifiable"] * 9) == 1 / 2
    # Many decided claims are a surer sign than one; the same claims with open ones are the same.
    order = [("refuted",), ("refuted", "supported"), ("supported",), ("supported",) * 3]
    assert [reward(*one) for one in order] == [1 / 3, 1 / 2, 2 / 3, 4 / 5]
    assert reward("supported", "unverifiable") == reward("supported")


def test_a_response_without_a_reward_has_none():
    responses = [response("a", 0), response("a", 1), response("a", 2)]
    (request,) = judge_requests(responses[:1], "chat", samples=1)
    helpful = helpfulness([request], answered(request, "Score: 2"))
    rows = scored(responses, helpful, factuality(verdicts("a#1", "supported")))
    assert [(row.index, row.helpful, row.factual) for row in rows] == [
        (0, 2.0, None),
        (1, None, 1.0),
        (2, None, None),
    ]
