import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.config.slick import Slick
from plumbline.files import InputError
from plumbline.methods.slick.probing import (
    GREEDY,
    SAMPLED,
    draw_exemplar_sets,
    few_shot_prompt,
    requests,
    usable_sets,
)
from slick_data import question

DATA = [
    question(relation, number, split, "ood" if relation == "color" else "id")
    for relation in ("capital", "color")
    for split, count in (("train", 5), ("dev", 12), ("test", 5))
    for number in range(count)
]
BY_ID = {one.id: one for one in DATA}


def small(**changes) -> Slick:
    return Slick(**{"exemplar_sets": 3, "shots": 2, "samples": 5, "max_tokens": 8, **changes})


@given(seed=st.integers(0, 10**6), shots=st.integers(1, 4), number=st.integers(2, 8))
def test_exemplar_sets_are_distinct_and_of_the_relations_dev_questions(seed, shots, number):
    settings = small(seed=seed, shots=shots, exemplar_sets=number)
    sets = draw_exemplar_sets(DATA, settings)
    for relation in ("capital", "color"):
        mine = [one for one in sets if one.relation == relation]
        assert [one.number for one in mine] == list(range(number))
        assert len({frozenset(one.exemplars) for one in mine}) == number
        for one in mine:
            shown = [BY_ID[name] for name in one.exemplars]
            assert len(shown) == shots
            assert {(q.relation, q.split) for q in shown} == {(relation, "dev")}
            assert one.subjects == [q.subject for q in shown]
            assert len(set(one.subjects)) == shots


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_file():
    assert draw_exemplar_sets(DATA, small()) == draw_exemplar_sets(DATA[::-1], small())
    assert draw_exemplar_sets(DATA, small()) != draw_exemplar_sets(DATA, small(seed=2))


def test_another_relation_does_not_change_the_draw():
    alone = [one for one in DATA if one.relation == "capital"]
    both = [one for one in draw_exemplar_sets(DATA, small()) if one.relation == "capital"]
    assert draw_exemplar_sets(alone, small()) == both


def test_a_set_shows_no_subject_twice():
    twins = [question("capital", n, "dev", subject=f"twin {n // 2}") for n in range(8)]
    for seed in range(30):
        for one in draw_exemplar_sets(twins, small(shots=2, exemplar_sets=2, seed=seed)):
            assert len(set(one.subjects)) == 2
    spelled = [
        question("capital", n, "dev", subject=("Ünal", "unal", "Meier")[n]) for n in range(3)
    ]
    with pytest.raises(InputError, match="has 2 dev question"):
        draw_exemplar_sets(spelled, small(shots=2, exemplar_sets=2))


def test_every_dev_question_can_be_asked_with_some_set():
    scarce = [question("capital", n, "dev") for n in range(7)]
    for seed in range(30):
        settings = small(shots=3, exemplar_sets=2, seed=seed)
        sets = draw_exemplar_sets(scarce, settings)
        assert {one.question for one in requests(scarce, sets, settings)} == {q.id for q in scarce}


def test_too_few_dev_questions_name_the_relation_and_the_remedy():
    few = [one for one in DATA if one.relation == "color" or one.split != "dev"]
    with pytest.raises(InputError, match=r"relation capital has 0 dev.*slick\.shots"):
        draw_exemplar_sets(few, small())
    three = few + [question("capital", n, "dev") for n in range(3)]
    draw_exemplar_sets(three, small(exemplar_sets=3))  # two of three: there are three sets
    with pytest.raises(InputError, match="4 distinct sets of 2"):
        draw_exemplar_sets(three, small(exemplar_sets=4))


def test_the_prompt_is_the_papers():
    sets = draw_exemplar_sets(DATA, small())
    first, second = (BY_ID[name] for name in sets[0].exemplars)
    asked = question("capital", 1, "test")
    assert few_shot_prompt(sets[0], asked) == (
        f"Q: {first.question}\nA: {first.answers[0]}\n\n"
        f"Q: {second.question}\nA: {second.answers[0]}\n\n"
        f"Q: {asked.question}\nA:"
    )


def test_sets_that_show_the_questions_subject_are_left_out():
    sets = [one for one in draw_exemplar_sets(DATA, small()) if one.relation == "capital"]
    shown = BY_ID[sets[0].exemplars[0]]
    assert sets[0] not in usable_sets(shown, sets)
    # The subject decides, not the question: the same entity asked about in train leaks as well.
    namesake = question("capital", 99, "train", subject=shown.subject)
    assert sets[0] not in usable_sets(namesake, sets)
    # Nor the row's id: a question may stand in two splits.
    elsewhere = shown.model_copy(update={"id": f"{shown.id}-2", "split": "test"})
    assert sets[0] not in usable_sets(elsewhere, sets)
    respelled = question("capital", 99, "test", subject=f" {shown.subject.upper()}")
    assert sets[0] not in usable_sets(respelled, sets)
    assert usable_sets(question("capital", 0), sets) == sets
    with pytest.raises(InputError, match=r"capital/dev/.*every exemplar set"):
        usable_sets(shown, sets[:1])


@pytest.mark.parametrize("mode", ["full", "categories"])
def test_requests(mode):
    settings = small(mode=mode, temperature=0.7, top_k=20)
    sets = draw_exemplar_sets(DATA, settings)
    made = list(requests(DATA, sets, settings))
    assert len({one.id for one in made}) == len(made)
    usable = {
        one.id: usable_sets(one, [s for s in sets if s.relation == one.relation]) for one in DATA
    }
    assert any(len(found) < 3 for found in usable.values())
    expected = {
        (one.id, purpose, s.number)
        for one in DATA
        for s in usable[one.id]
        for purpose in (GREEDY, SAMPLED)
    }
    assert {(one.question, one.purpose, one.exemplar_set) for one in made} == expected
    for one in made:
        sampled = one.purpose == SAMPLED
        assert one.sampling.model_dump() == {
            "n": 5 if sampled else 1,
            "temperature": 0.7 if sampled else 0.0,
            "top_k": 20 if sampled else 0,
            "top_p": 1.0,
            "max_tokens": 8,
            "stop": ("\n",),
        }
        assert one.prompt.endswith(f"Q: {BY_ID[one.question].question}\nA:")
        waits = mode == "categories" and sampled
        assert one.unless_accepted is waits
        assert one.wave == (1 + one.exemplar_set if waits else 0)
        assert (one.accept is not None) == (mode == "categories")
