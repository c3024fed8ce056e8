from collections import Counter

import pytest
from flame_data import scored
from hypothesis import given
from hypothesis import strategies as st
from plumbline.config.training import Recipe
from plumbline.methods.flame.pairs import (
    GAP,
    GATE,
    build_pairs,
    check_sources,
    training_order,
)
from plumbline.storage.files import InputError
from plumbline.training.distinct import check_file


def build(name, rows, facts=()):
    """Pairs of each source as (instruction, chosen, rejected), and dropped ones by reason."""
    pairs, dropped = build_pairs(name, rows, set(facts), form="plain")
    found = {
        source: [(one.instruction, one.chosen[-1], one.rejected[-1]) for one in ones]
        for source, ones in pairs.items()
    }
    return found, {(row["item"], row["reason"]): row["n"] for row in dropped}


ROWS = [
    # Best by RM_IF is 1, worst 2; by RM_fact best 3, worst 0, and these differ by 0.5: kept.
    *scored("a", (3, 0.1), (5, 0.5), (1, 0.5), (3.5, 0.9)),
    # By RM_fact 0 against 1, but they differ by 3 points: gated.
    *scored("b", (4, 0.9), (1, 0.2), (4, 0.5), (2, 0.6)),
    # RM_IF ties, RM_fact does not.
    *scored("c", (2, 0.3), (2, 0.6)),
    # Not about facts; only one response has a score.
    *scored("d", (4, None), (None, None)),
    # Not about facts.
    *scored("e", (2, None), (2.5, None), (None, None)),
]
FACTS = ("a", "b", "c")


def test_best_against_worst_by_helpfulness():
    pairs, dropped = build("dpo", ROWS, FACTS)
    assert pairs == {"helpful": [("a", "1", "2"), ("b", "0", "1"), ("e", "1", "0")]}
    assert dropped == {
        ("dpo: helpful pairs", "tie"): 1,
        ("dpo: helpful pairs", "fewer than two scored responses"): 1,
        ("dpo: helpful responses", "no score"): 2,
    }


def test_best_against_worst_by_factuality_behind_the_gate():
    pairs, dropped = build("dpo-fact", ROWS, FACTS)
    assert pairs == {"factual": [("a", "3", "0"), ("c", "1", "0")]}
    assert dropped == {("dpo-fact: factual pairs", "helpfulness differs too much"): 1}


def test_dpo_star_has_both_sources():
    star, dropped = build("dpo-star", ROWS, FACTS)
    assert star == build("dpo", ROWS, FACTS)[0] | build("dpo-fact", ROWS, FACTS)[0]
    assert sum(dropped.values()) == 5


@pytest.mark.parametrize(("gap", "kept"), [(0.5, 1), (0.51, 0), (-0.5, 1), (-0.6, 0), (0, 1)])
def test_the_gate_lets_half_a_point_through_in_either_direction(gap, kept):
    rows = scored("a", (2.1 + gap, 0.9), (2.1, 0.1))
    assert len(build("dpo-fact", rows, "a")[0]["factual"]) == kept


def test_the_gate_holds_where_both_are_rated():
    # 1 has no RM_IF: the gate cannot be asked. 2 made no claims.
    rows = scored("a", (3, 0.5), (None, 0.9), (3, None), (5, 0.4))
    pairs, dropped = build("dpo-fact", [*rows, *scored("b", (1, 0.9), (5, 0.1))], "ab")
    assert pairs["factual"] == [("a", "1", "3")]
    assert dropped == {
        ("dpo-fact: factual responses", "no score"): 1,
        ("dpo-fact: factual pairs", "helpfulness differs too much"): 1,
    }
    assert build("dpo-fact", rows, "b")[0]["factual"] == []


def test_of_equal_scores_the_more_helpful_then_the_first_is_taken():
    rows = scored("a", (3.0, 0.8), (3.2, 0.8), (3.2, 0.8), (3.0, 0.2), (3.1, 0.2), (3.1, 0.2))
    assert build("dpo-fact", rows, "a")[0]["factual"] == [("a", "1", "4")]
    rows = scored("a", (1, None), (4, None), (1, None), (4, None))
    assert build("dpo", rows)[0]["helpful"] == [("a", "1", "0")]


def test_the_same_text_twice_is_no_pair():
    rows = scored("a", (3, 0.2), (1, 0.1))
    rows[1].text = rows[0].text
    assert build("dpo", rows) == ({"helpful": []}, {("dpo: helpful pairs", "identical texts"): 1})


def test_all_pairs_with_a_gap():
    # Of six: 0.6-0.4 and 0.4-0.2 are just enough, 0.6-0.2 is; of 0.2 twice is a tie, and so on.
    rows = scored("a", (3, 0.6), (3, 0.4), (3, 0.2), (3, 0.5))
    pairs, dropped = build("dpo-star-gaps", rows, "a")
    assert sorted(pairs["factual"]) == [
        ("a", "0", "1"), ("a", "0", "2"), ("a", "1", "2"), ("a", "3", "2")
    ]  # fmt: skip
    assert dropped[("dpo-star-gaps: factual pairs", "gap too small")] == 2
    gated = build("dpo-star-gaps", scored("a", (5, 0.9), (3, 0.4), (3, 0.4)), "a")
    assert gated[0] == {"helpful": [("a", "0", "1")], "factual": []}
    assert gated[1] == {
        ("dpo-star-gaps: factual pairs", "helpfulness differs too much"): 2,
        ("dpo-star-gaps: factual pairs", "tie"): 1,
    }


def test_one_combined_reward():
    # 3 + 5 x 0.8 = 7 beats 4 + 5 x 0.5 = 6.5 and 5 + 5 x 0.2 = 6; no gate.
    rows = [*scored("a", (4, 0.5), (3, 0.8), (5, 0.2)), *scored("e", (1, None), (2, None))]
    pairs, dropped = build("dpo-star-combined", rows, "a")
    assert pairs == {"helpful": [("e", "1", "0")], "combined": [("a", "1", "2")]}
    assert dropped == {}
    # 5/3 in two ways, which differ in the last binary digit.
    tie = scored("a", (0, 1 / 3), (5 / 3, 0))
    assert build("dpo-star-combined", tie, "a")[1] == {
        ("dpo-star-combined: combined pairs", "tie"): 1
    }


@pytest.mark.parametrize("name", ["facttune", "facttune-mc"])
def test_facttune_ranks_all_pairs_and_asks_for_no_helpfulness(name):
    rows = scored("a", (None, 0.5), (None, 0.9), (5, 0.5), (1, 0.0), (1, None))
    pairs, dropped = build(name, rows, "a")
    assert sorted(pairs["factual"]) == [
        ("a", "0", "3"), ("a", "1", "0"), ("a", "1", "2"), ("a", "1", "3"), ("a", "2", "3")
    ]  # fmt: skip
    assert dropped == {
        (f"{name}: factual pairs", "tie"): 1,
        (f"{name}: factual responses", "no score"): 1,
    }


def test_a_pair_to_the_letter():
    pairs, _ = build_pairs("dpo", scored("a", (1, 0.5), (4, None)), set(), form="plain")
    (pair,) = pairs["helpful"]
    assert pair.prompt == "### Instruction:\nSay a.\n\n### Response:\n"
    assert (pair.chosen, pair.rejected, pair.source) == ("a 1", "a 0", "helpful")
    assert pair.chosen_scores == {"helpful": 4, "factual": None}
    assert pair.rejected_scores == {"helpful": 1, "factual": 0.5}
    pairs, _ = build_pairs("dpo", scored("a", (1, 0.5), (4, None)), set(), form="chat")
    (pair,) = pairs["helpful"]
    assert (pair.prompt[0].content, pair.chosen[0].content) == ("Say a.", "a 1")


scores = st.tuples(
    st.one_of(st.none(), st.integers(0, 10).map(lambda n: n / 2)),
    st.one_of(st.none(), st.integers(0, 10).map(lambda n: n / 10)),
)
groups = st.dictionaries(st.sampled_from("abcde"), st.lists(scores, max_size=5), min_size=1)


@given(groups, st.randoms())
def test_what_every_set_promises(groups, shuffler):
    rows = [row for name, values in groups.items() for row in scored(name, *values)]
    facts = {"a", "b", "c"}
    by_id = {(row.instruction, str(row.index)): row for row in rows}
    for name in ("dpo", "dpo-fact", "dpo-star", "dpo-star-gaps", "facttune"):
        pairs, dropped = build(name, rows, facts)
        shuffled = list(rows)
        shuffler.shuffle(shuffled)
        assert build(name, shuffled, facts) == (pairs, dropped)
        for source, ones in pairs.items():
            for instruction, chosen, rejected in ones:
                best, worst = by_id[instruction, chosen], by_id[instruction, rejected]
                if source == "helpful":
                    assert best.helpful > worst.helpful
                    continue
                assert instruction in facts
                assert best.factual > worst.factual
                if name != "facttune" and None not in (best.helpful, worst.helpful):
                    assert abs(best.helpful - worst.helpful) <= GATE
                if name == "dpo-star-gaps":
                    assert best.factual - worst.factual > GAP - 1e-6
        if name in ("dpo", "dpo-fact"):  # each instruction is a pair or is counted
            source = next(iter(pairs))
            asked = {key for key, values in groups.items() if values}
            asked &= facts if source == "factual" else asked
            lost = sum(n for (item, _), n in dropped.items() if item.endswith("pairs"))
            assert len(pairs[source]) + lost == len(asked)


def sources(helpful, factual):
    """That many pairs of each source."""
    rows = [
        row
        for number in range(max(helpful, factual))
        for row in scored(f"{number:03}", (3, 1), (2.5, 0))
    ]
    pairs, _ = build_pairs("dpo-star", rows, {row.instruction for row in rows}, form="plain")
    return {"helpful": pairs["helpful"][:helpful], "factual": pairs["factual"][:factual]}


@pytest.mark.parametrize("batch", [1, 2, 5, 8])
def test_every_step_draws_evenly_whatever_the_sizes(batch):
    order = training_order(sources(40, 6), batch=batch, steps=12, seed=1)
    assert len(order) == len({pair.id for pair in order}) == 12 * batch
    for start in range(0, len(order), batch):
        counts = Counter(pair.source for pair in order[start : start + batch])
        assert abs(counts["helpful"] - counts["factual"]) <= batch % 2
    total = Counter(pair.source for pair in order)
    assert total["helpful"] == total["factual"]
    # Every pass but the last holds all six factual pairs.
    passes = Counter(pair.id.split("@")[1] for pair in order if pair.source == "factual")
    whole, rest = divmod(total["factual"], 6)
    assert list(passes.values()) == [6] * whole + [rest] * (rest > 0)


def test_one_source_is_passed_through_and_the_seed_orders_it():
    one = {"helpful": sources(10, 1)["helpful"]}
    order = training_order(one, batch=5, steps=4, seed=1)
    names = [pair.instruction for pair in order]
    assert sorted(names[:10]) == sorted(names[10:]) == [f"{number:03}" for number in range(10)]
    assert names[:10] != names[10:] and names[:10] != sorted(names[:10])
    assert training_order(one, batch=5, steps=4, seed=1) == order
    assert training_order(one, batch=5, steps=4, seed=2) != order


def test_every_source_has_pairs_enough_or_the_training_is_refused():
    limits = {"rows": 40, "min_pairs": 4, "max_repeats": 5}
    check_sources("t", sources(4, 4), [], **limits)
    lost = [{"stage": "flame", "item": "dpo-star: factual pairs", "reason": "tie", "n": 7}]
    for helpful, factual, words in (
        (
            9,
            3,
            r"t, factual pairs: 3 different pairs, shown up to 7 times each \(left out: 7 tie\)",
        ),
        (3, 9, r"t, helpful pairs: 3 different pairs, shown up to 7 times each; its"),
        (9, 0, r"t, factual pairs: 0 different pairs \(left out: 7 tie\)"),
    ):
        with pytest.raises(InputError, match=words):
            check_sources("t", sources(helpful, factual), lost, **limits)
    with pytest.raises(InputError, match="shown up to 6 times each"):
        check_sources("t", sources(4, 4), [], **limits | {"rows": 48})
    with pytest.raises(InputError, match="there is no usable judge"):
        check_sources("t", {}, [], **limits)


def test_a_training_file_is_held_against_its_recipe():
    recipe = Recipe(
        method="dpo", learning_rate=1e-3, max_steps=10, global_batch_size=8, max_repeats=10
    )
    pairs = [pair for pair in sources(8, 1)["helpful"]]
    check_file("t", pairs, recipe)
    again = [pair.model_copy(update={"id": f"{pair.id}@1"}) for pair in pairs]
    check_file("t", [*pairs, *again], recipe)
    with pytest.raises(InputError, match=r"t: 7 different pairs, shown up to 12 times each"):
        check_file("t", pairs[:7], recipe)
    # Alike but for their ids.
    with pytest.raises(InputError, match="t: 1 different pairs"):
        check_file("t", [pairs[0].model_copy(update={"id": str(n)}) for n in range(80)], recipe)
    epochs = recipe.model_copy(update={"max_steps": None, "epochs": 11})
    with pytest.raises(InputError, match="shown up to 11 times"):
        check_file("t", pairs, epochs)
