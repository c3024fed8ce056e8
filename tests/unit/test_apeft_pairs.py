from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.claims.records import Verdict
from plumbline.methods.apeft.answers import Answered
from plumbline.methods.apeft.mix import common_size, mixed, split
from plumbline.methods.apeft.pairs import KNOWN, UNKNOWN, atomic, general
from plumbline.methods.apeft.questions import AtomicQuestion
from plumbline.records import Pair
from plumbline.responses.drawn import DrawnResponse
from plumbline.storage.files import InputError

DECISIONS = {"+": "supported", "-": "refuted", "?": "unverifiable"}


def lost(built):
    return {(row["item"], row["reason"]): row["n"] for row in built.dropped}


def planted(**outcomes):
    """Questions by name with answers (text, samples, + supported, - refuted or ? neither)."""
    questions, answers, verdicts = [], [], {}
    for name, listed in outcomes.items():
        questions.append(
            AtomicQuestion(
                id=name, topic=name, claim=name, question=f"{name}?", statement="{answer}."
            )
        )
        for number, (text, n, sign) in enumerate(listed):
            one = Answered(
                id=f"{name}#{number}", response=name, topic=name, sentence=0, text=text,
                statement=text, answer=text, n=n,
            )  # fmt: skip
            answers.append(one)
            verdicts[one.id] = Verdict(
                claim=one.id, response=name, verdict=DECISIONS[sign], verifier="planted"
            )
    return questions, answers, verdicts


def atomic_pairs(max_length_gap=4, form="plain", **outcomes):
    return atomic(*planted(**outcomes), samples=4, form=form, max_length_gap=max_length_gap)


def test_only_facts_that_are_potentially_known_and_contradicted_become_pairs():
    built = atomic_pairs(
        unknown=[("b", 3, "-"), ("c", 1, "?")],
        known=[("a", 3, "+"), ("A2", 1, "+")],
        maybe=[("a", 1, "+"), ("b", 3, "-")],
        beside=[("a", 2, "+"), ("b", 2, "?")],
        silent=[("a", 3, "+")],
        nothing=[],
    )
    (pair,) = built.rows
    assert (pair.id, pair.chosen, pair.rejected) == ("maybe/atomic", "a", "b")
    assert pair.prompt == "### Instruction:\nmaybe?\n\n### Response:\n"
    assert (pair.right, pair.samples, pair.source) == (1, 4, "atomic")
    assert lost(built) == {
        ("atomic pairs", UNKNOWN): 2, ("atomic pairs", KNOWN): 1,
        ("atomic pairs", "no answer contradicts the right one"): 2,
    }  # fmt: skip
    assert built.counted["right"] == {0: 2, 1: 1, 2: 1, 3: 1, 4: 1}


def test_the_commonest_answers_are_paired():
    answers = [("r1", 1, "+"), ("w2", 1, "-"), ("w1", 1, "-"), ("x", 1, "?")]
    assert atomic_pairs(q=answers).rows[0].rejected == "w1"
    built = atomic_pairs(q=[("r1", 1, "+"), ("r0", 1, "+"), ("w1", 1, "-"), ("w2", 1, "-")])
    assert (built.rows[0].chosen, built.rows[0].rejected) == ("r0", "w1")
    assert built.counted["right"] == {2: 1}


def test_statements_of_a_pair_are_of_like_length():
    answers = [("one two three", 2, "+"), ("one", 2, "-")]
    assert atomic_pairs(max_length_gap=2, q=answers).rows
    built = atomic_pairs(max_length_gap=1, q=answers)
    assert built.rows == [] and lost(built) == {("atomic pairs", "lengths differ too much"): 1}


def test_a_pair_is_in_the_form_of_the_others():
    (pair,) = atomic_pairs(form="chat", q=[("a", 2, "+"), ("b", 2, "-")]).rows
    assert [m.role for m in (*pair.prompt, *pair.chosen, *pair.rejected)] == [
        "user", "assistant", "assistant"
    ]  # fmt: skip


def test_an_answer_without_a_verdict_is_an_error():
    questions, answers, _ = planted(q=[("a", 2, "+")])
    with pytest.raises(InputError, match="answer q#0 has no verdict"):
        atomic(questions, answers, {}, samples=4, form="plain", max_length_gap=4)


def response(name, index):
    return DrawnResponse(
        id=f"{name}#{index}", prompt=f"Say {name}.", topic=name, text=f"text {index}",
        instruction=name, index=index,
    )  # fmt: skip


def verdicts(name, *signs):
    return [
        Verdict(claim=f"{name}.{n}", response=name, verdict=DECISIONS[sign], verifier="planted")
        for n, sign in enumerate(signs)
    ]


def test_general_pairs_are_all_that_differ_capped_by_a_seeded_draw():
    responses = [response("a", n) for n in range(4)]
    responses += [response("b", 0), response("b", 1)]
    given = [
        *verdicts("a#0", "+", "+"), *verdicts("a#1", "+", "?"), *verdicts("a#2", "+", "-"),
        *verdicts("a#3", "-"), *verdicts("b#0", "+"),
    ]  # fmt: skip
    everything = general(responses, given, form="plain", per_entity=None, seed=1)
    names = {pair.id for pair in everything.rows}
    assert names == {f"a/general#{n}" for n in ("0>1", "0>2", "0>3", "1>3", "2>3")}
    assert lost(everything) == {
        ("general responses", "no score"): 1, ("general pairs", "tie"): 1,
        ("general pairs", "fewer than two scored responses"): 1,
    }  # fmt: skip
    draws = set()
    for seed in range(20):
        two = general(responses, given, form="plain", per_entity=2, seed=seed)
        assert len(two.rows) == 2 and {pair.id for pair in two.rows} < names
        assert lost(two)["general pairs", "over general_per_entity"] == 3
        draws.add(tuple(pair.id for pair in two.rows))
    assert len(draws) > 3
    with pytest.raises(InputError, match="its response c#0 is not among"):
        general(responses, verdicts("c#0", "+"), form="plain", per_entity=None, seed=1)


@pytest.mark.parametrize(
    ("size", "percent", "expected"),
    [(10, 0, (0, 10)), (10, 50, (5, 5)), (5, 50, (3, 2)), (10, 25, (3, 7)), (7, 100, (7, 0))],
)
def test_shares_are_rounded_half_up(size, percent, expected):
    assert split(size, percent) == expected


def test_the_common_size_is_what_every_share_can_have():
    assert common_size(3, 10, [0]) == 10
    assert common_size(3, 10, [0, 50]) == 6
    assert common_size(3, 2, [50]) == 5  # 3 atomic, 2 general
    assert common_size(3, 10, [0, 25, 50, 75, 100]) == 3
    assert common_size(0, 10, [0, 50]) == 0


@given(st.integers(0, 40), st.integers(0, 40), st.lists(st.floats(0, 100), min_size=1, max_size=4))
def test_no_larger_size_would_do(atomic_pairs, general_pairs, percents):
    def fits(size):
        return all(
            split(size, one)[0] <= atomic_pairs and split(size, one)[1] <= general_pairs
            for one in percents
        )

    size = common_size(atomic_pairs, general_pairs, percents)
    assert fits(size) and not any(fits(more) for more in range(size + 1, 90))


def pool(kind, n):
    return [
        Pair(id=f"{kind}{i}", prompt="p", chosen="c", rejected="r", source=kind) for i in range(n)
    ]


def mix(percent, size, seed=1, atomic=20, general=30, reasons=None):
    pools = pool("atomic", atomic), pool("general", general)
    return mixed(*pools, percent=percent, size=size, seed=seed, reasons=reasons or {})


@pytest.mark.parametrize("percent", [0, 25, 50, 75, 100])
def test_the_ratio_is_exact_and_the_draw_the_seeds(percent):
    pairs = mix(percent, 18)
    wanted = dict(zip(("atomic", "general"), split(18, percent), strict=True))
    assert Counter(pair.source for pair in pairs) == {k: n for k, n in wanted.items() if n}
    assert len({pair.id for pair in pairs}) == 18
    assert pairs == mix(percent, 18) != mix(percent, 18, seed=2)


def test_lower_shares_draw_from_what_higher_ones_do():
    few, many = ({pair.id for pair in mix(one, 16) if pair.source == "atomic"} for one in (25, 75))
    assert few < many


def test_too_few_pairs_is_told_with_what_was_dropped():
    with pytest.raises(InputError) as told:
        mix(75, 40, reasons={"atomic pairs: tie": 3, "x": 0})
    assert str(told.value).startswith(
        "75 % atomic of 40 pairs needs 30 atomic pairs, but there are 20"
    )
    assert "Dropped: 3 atomic pairs: tie." in str(told.value)
    assert "apeft.pairs lower" in str(told.value) and " 0 x" not in str(told.value)
    with pytest.raises(InputError, match="there are 0 atomic and 30 general pairs"):
        mix(50, 0, atomic=0)
