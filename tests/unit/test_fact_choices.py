"""Choice questions made from facts: nothing but the fact tells which choice is right."""

import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from choice_data import CITIES, fact, load, reasons
from plumbline.config.choices import ChoiceSource
from plumbline.data.facts import load_embedded
from plumbline.evaluation.guessing import guessed
from plumbline.storage.files import InputError
from plumbline.texts.text import fold
from plumbline.verification.known_facts import excludes
from pydantic import ValidationError

FACTS = Path(__file__).parents[2] / "workflow" / "resources" / "facts"


@pytest.fixture(scope="module")
def embedded():
    questions = load_embedded(FACTS).questions
    return {one.id: one for one in questions}, load("facts", questions=questions)[0]


def test_choices_are_the_answers_of_a_group_of_test_questions():
    facts = [fact(i, city, split="test" if i < 4 else "train") for i, city in enumerate(CITIES)]
    facts += [fact(i, f"coin {i}", "coin", domain="ood") for i in range(4)]
    found, dropped = load("facts", questions=facts)
    assert dropped == []
    assert [row.id for row in found] == [one.id for one in facts if one.split == "test"]
    by_id = {one.id: one for one in facts}
    for row in found:
        pool = CITIES[:4] if row.id.startswith("capital") else [f"coin {i}" for i in range(4)]
        assert sorted(row.choices) == sorted(pool) and sum(row.labels) == 1
        assert row.choices[row.best] == by_id[row.id].answers[0]
        assert row.labels[row.best] == 1
        assert (row.subject, row.domain) == (by_id[row.id].subject, by_id[row.id].domain)


def test_accepted_answers_and_other_spellings_are_never_false_choices():
    facts = [
        fact(1, ["Brasília", "The Federal Capital"]),
        fact(2, "BRASILIA"),
        fact(3, "federal capital"),
        fact(4, "Rio"),
        fact(5, "São Paulo"),
        fact(6, "Lima"),
        # The same question, and another one about the same subject: these are right, too.
        fact(7, "Rio", split="train", question="what is the capital of S1"),
        fact(8, "Sao Paulo", split="dev", subject="s1", question="Which capital has S1?"),
    ]
    facts += [fact(10 + i, city) for i, city in enumerate(CITIES)]
    met = set()
    for seed in range(20):
        found, _ = load("facts", questions=facts, seed=seed)
        for row in found:
            if row.id == "capital/1":
                met |= set(row.choices)
    assert "Brasília" in met and len(met) > 4
    assert not {"Rio", "São Paulo", "BRASILIA", "federal capital"} & met
    # With none but these there is no group for it.
    assert "capital/1" not in {row.id for row in load("facts", questions=facts[:5])[0]}


@pytest.mark.parametrize("common", [5, 40, 90])
def test_the_commonest_answer_is_right_by_chance_however_common(common):
    answers = ["Oslo"] * common + [CITIES[1 + i % 7] for i in range(100 - common)]
    found, dropped = load("facts", questions=[fact(i, one) for i, one in enumerate(answers)])
    assert guessed(found, places=True) == {"chance_mc1": 0.25, "prior_mc1": 0.25}
    right, shown = Counter(), Counter()
    for row in found:
        shown.update(row.choices)
        right[row.choices[row.best]] += 1
    assert all(right[choice] == n / 4 for choice, n in shown.items())
    assert len(found) + sum(reasons(dropped).values()) == 100
    assert len(found) >= {5: 96, 40: 80, 90: 12}[common]


def test_on_the_embedded_facts_no_choice_tells_and_no_false_one_is_true(embedded):
    questions, found = embedded
    assert len(found) > 1200
    by_relation = defaultdict(list)
    for row in found:
        by_relation[questions[row.id].relation].append(row)
        accepted = {fold(answer) for answer in questions[row.id].answers}
        for choice, label in zip(row.choices, row.labels, strict=True):
            assert label == (fold(choice) in accepted)
            assert label or excludes(questions[row.id].relation, choice, accepted)
    for rows in by_relation.values():
        assert guessed(rows, places=True) == {"chance_mc1": 0.25, "prior_mc1": 0.25}


@pytest.mark.parametrize(
    ("relation", "choice", "answers", "false"),
    [
        ("person_profession", "tennis player", ["poet"], True),
        ("person_profession", "novelist", ["poet"], False),
        ("person_profession", "writer", ["tennis player"], False),  # many have written a book
        ("person_country", "England", ["United Kingdom", "UK"], False),
        ("person_country", "United Kingdom", ["Scotland"], False),
        ("person_country", "France", ["Scotland"], True),
        ("capital", "Oslo", ["Rome"], True),  # a relation of one's own
        ("capital", "ROME", ["Rome"], False),
    ],
)
def test_what_may_be_true_too_is_no_false_choice(relation, choice, answers, false):
    assert excludes(relation, choice, answers) == false


def test_groups_do_not_depend_on_the_order_of_rows_and_larger_limits_hold_smaller_ones():
    facts = [fact(i, f"{CITIES[i % 8]} {i % 40}") for i in range(400)]
    mixed = random.Random(0).sample(facts, len(facts))
    one, other = (load("facts", questions=rows, limit=200)[0] for rows in (facts, mixed))
    assert len(one) == 200
    assert {row.id: row for row in one} == {row.id: row for row in other}
    assert [row.id for row in one] == [f.id for f in facts if f.id in {row.id for row in one}]
    fewer, dropped = load("facts", questions=facts, limit=51)
    assert len(fewer) == 48 and {row.id for row in fewer} <= {row.id for row in one}
    assert reasons(dropped) == {("capital", "over_limit"): 352}
    assert {row.id for row in load("facts", questions=facts, limit=48, seed=2)[0]} != {
        row.id for row in fewer
    }


def test_facts_that_cannot_be_asked_are_counted_by_relation():
    facts = [fact(i, "always", "constant") for i in range(3)]
    facts += [fact(i, city) for i, city in enumerate(("Oslo", "Rome", "Rome"))]
    facts.append(fact(9, "Oslo", question="What is the capital of S0"))
    found, dropped = load("facts", questions=facts, limit=4)
    assert len(found) == 2 and found[0].id == "capital/0"
    assert all(sorted(row.choices) == ["Oslo", "Rome"] for row in found)
    assert reasons(dropped) == {
        ("constant", "in_no_group"): 3,
        ("capital", "in_no_group"): 1,
        ("capital", "duplicate"): 1,
    }
    with pytest.raises(InputError, match="split test"):
        load("facts", questions=[fact(1, "Oslo", split="train")])


def test_a_limit_below_one_group_is_refused():
    with pytest.raises(ValidationError, match="limit: facts are asked about in groups of 4"):
        ChoiceSource(format="facts", limit=3)
