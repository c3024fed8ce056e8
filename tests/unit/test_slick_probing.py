import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import (
    GREEDY,
    SAMPLED,
    ExemplarSet,
    FreshExemplars,
    answerable,
    draw_exemplar_sets,
    few_shot_prompt,
    requests,
    usable_sets,
)
from plumbline.records import Question, Request
from plumbline.storage.files import InputError, read_json, read_rows, write_rows
from plumbline.texts.matching import exact_match, unmatchable
from programs import program
from slick_data import question
from tiny import tiny_tokenizer

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


@pytest.mark.parametrize("number", range(2, 5))
@pytest.mark.parametrize("size", range(2, 8))
def test_sets_are_drawn_wherever_there_are_any(size, number):
    """Of a few dev questions a first set may rule out the last, so each is drawn with that in mind."""
    pool = [question("capital", n, "dev") for n in range(size)]
    for shots in range(1, size + 1):
        every = [frozenset(chosen) for chosen in combinations(range(size), shots)]
        exist = any(not frozenset.intersection(*some) for some in combinations(every, number))
        for seed in range(20):
            settings = small(shots=shots, exemplar_sets=number, seed=seed)
            if exist:
                drawn = [frozenset(one.exemplars) for one in draw_exemplar_sets(pool, settings)]
                assert len(set(drawn)) == number and not frozenset.intersection(*drawn)
            else:
                with pytest.raises(InputError, match="too few"):
                    draw_exemplar_sets(pool, settings)


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


# --- answers that cannot match -------------------------------------------------------------------

# As bytes, so many tokens; after a space Lima is one.
TOKENIZER = tiny_tokenizer([" Lima"])


@pytest.mark.parametrize(
    ("answer", "mode", "expected"),
    [
        ("Lima", "squad", None),
        (" Lima\n", "squad", None),
        ("The", "squad", None),  # nothing is left of it but what is seen
        ("?!", "raw", None),
        ("12345", "squad", None),
        ("123456", "squad", "answer_longer_than_max_tokens"),
        ("\n\n123456", "raw", "answer_longer_than_max_tokens"),
        ("New\nYork", "squad", "answer_of_several_lines"),
        ("New\u2028York", "raw", "answer_of_several_lines"),
        (" \u200b\n", "squad", "answer_blank"),
    ],
)
def test_why_an_answer_cannot_match(answer, mode, expected):
    assert unmatchable(answer, TOKENIZER, 5, mode) == expected
    if expected is None:
        assert exact_match(answer, [answer], mode)


def test_questions_without_an_answer_that_can_match_are_left_out_and_told(caplog):
    def ask(number, split, *answers):
        return question("capital", number, split, answers=list(answers))

    asked = [
        ask(0, "train", "Lima", "Ciudad de los Reyes"),
        ask(1, "train", "Ciudad de los Reyes", "Lima"),  # the first is what would be trained on
        ask(2, "dev", "San\nJuan", "Ciudad de los Reyes"),
        ask(3, "test", "Ciudad de los Reyes", "Lima"),
        ask(4, "test", "Ciudad de los Reyes", "San\nJuan"),
    ]
    kept, dropped = answerable(asked, TOKENIZER, 5)
    assert [one.id for one in kept] == ["capital/train/0", "capital/test/3"]
    assert dropped == {
        ("capital", "train", "answer_longer_than_max_tokens"): 1,
        ("capital", "dev", "answer_of_several_lines"): 1,
        ("capital", "test", "answer_longer_than_max_tokens"): 1,
    }
    told = (
        "3 of 5 questions have no answer that can match (answer_longer_than_max_tokens 2, "
        "answer_of_several_lines 1); they are not asked. Raise slick.max_tokens (5), or give them "
        "short answers of one line."
    )
    assert told in caplog.text
    with pytest.raises(InputError, match=r"1 of 1 questions .*max_tokens 1\)\. Raise slick"):
        answerable(asked[1:2], TOKENIZER, 5)


@given(seed=st.integers(0, 10**6), shots=st.integers(1, 4), number=st.integers(2, 5))
def test_evaluation_shows_what_the_probe_does_not_as_far_as_there_is_any(seed, shots, number):
    settings = small(seed=seed, shots=shots, exemplar_sets=number)
    labelling = draw_exemplar_sets(DATA, settings)
    fresh = FreshExemplars(DATA, labelling, settings)
    for asked in DATA[-5:]:
        found = fresh.set_for(asked)
        mine = [one for one in labelling if one.relation == asked.relation]
        shown = {name for one in mine for name in one.exemplars}
        left = 12 - len(shown)
        assert len(set(found.exemplars)) == shots
        assert len(shown & set(found.exemplars)) == max(0, shots - left)
        assert set(found.exemplars) not in [set(one.exemplars) for one in mine]
        assert fresh.shared().get(found.id, 0) == max(0, shots - left)
    assert len(fresh.sets["color"]) == 1  # all of a relation are asked after the same


def test_where_the_probe_shows_every_set_one_of_them_is_taken_and_told():
    few = [question("capital", n, "dev") for n in range(4)]
    settings = small(shots=3, exemplar_sets=4)
    labelling = draw_exemplar_sets(few, settings)
    fresh = FreshExemplars(few, labelling, settings)
    first = fresh.set_for(question("capital", 9, "test"))
    own = fresh.set_for(question("capital", 9, "test", subject=first.subjects[0].upper()))
    assert first.subjects[0] not in own.subjects and len(own.exemplars) == 3
    assert fresh.shared() == {first.id: 3, own.id: 3}
    with pytest.raises(InputError, match=r"capital has 3 dev question.*fewer than slick.shots: 4"):
        fresh = FreshExemplars(few, labelling, small(shots=4))
        for number in range(4):
            fresh.set_for(question("capital", 9, "test", subject=few[number].subject))


def test_an_exemplars_answer_has_one_line():
    rows = [
        question("capital", n, "dev", answers=["San\nJuan" if n < 6 else "Lima"]) for n in range(10)
    ]
    for one in draw_exemplar_sets(rows, small(exemplar_sets=2)):
        assert "San" not in one.prefix and one.prefix.count("\nA: Lima\n\n") == 2


def test_what_cannot_be_answered_is_never_asked(tmp_path, monkeypatch, tiny_base):
    """Neither by the probe, nor by what is made of its questions: mixes, fits, closed book."""
    long = "Ciudad de los Reyes de Lima"
    rows = [
        one.model_copy(update={"answers": [long]}) if one.id.endswith(("/1", "/2")) else one
        for one in DATA
    ]
    write_rows(tmp_path / "all.jsonl", rows)
    settings = {"exemplar_sets": 2, "shots": 2, "samples": 2, "max_tokens": 20}
    program(
        monkeypatch, "prepare_probe", "--slick", json.dumps(settings), "--checkpoint",
        tiny_base, "--all-questions", tmp_path / "all.jsonl",
        *(word for name in ("questions", "test", "exemplars", "requests", "dropped")
          for word in (f"--{name}", tmp_path / f"{name}.jsonl")),
    )  # fmt: skip
    asked = list(read_rows(tmp_path / "questions.jsonl", Question))
    assert asked == [one for one in rows if one.answers != [long]]
    assert list(read_rows(tmp_path / "test.jsonl", Question)) == [
        one for one in asked if one.split == "test"
    ]
    assert {one.question for one in read_rows(tmp_path / "requests.jsonl", Request)} == {
        one.id for one in asked
    }
    dropped = read_json(tmp_path / "dropped.jsonl")
    sets = draw_exemplar_sets(rows, Slick.model_validate(settings))
    assert list(read_rows(tmp_path / "exemplars.jsonl", ExemplarSet)) == sets  # drawn from all
    assert sum(row["n"] for row in dropped) == len(rows) - len(asked) > 0
    assert dropped[0] == {
        "stage": "slick", "item": "capital train", "reason": "answer_longer_than_max_tokens", "n": 2,
    }  # fmt: skip
