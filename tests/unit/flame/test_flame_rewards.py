from flame_data import response
from plumbline.claims.records import Verdict
from plumbline.responses.scores import Helpfulness, factuality, scored


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
    helpful = [Helpfulness(id="a#0", score=2), Helpfulness(id="a#2")]
    rows = scored(responses, helpful, factuality(verdicts("a#1", "supported")))
    assert [(row.index, row.helpful, row.factual) for row in rows] == [
        (0, 2.0, None),
        (1, None, 1.0),
        (2, None, None),
    ]
