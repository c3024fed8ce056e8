"""The knowledge filter: what states a fact, what is kept, and what each builder makes of it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.methods.grath.prompt import request_id
from plumbline.names import parts, variant
from plumbline.records import Category, ChoiceQuestion, Example, Generation, Message, Pair
from plumbline.storage.files import InputError, read_json, read_unique_rows, write_rows
from plumbline.training import knowledge
from plumbline.training.knowledge import AnnotatedFacts, FilterOptions, keep, sides
from programs import program
from slick_data import annotation, question


def fact(subject, *answers, category=Category.UNKNOWN, relation="r", split="train"):
    asked = question(relation, 0, split, id=f"{relation}/{subject}", subject=subject)
    asked = asked.model_copy(update={"answers": list(answers)})
    return asked, annotation(asked, category)


FACTS = [
    fact("Zubrowka", "Lutz", "Old Lutz"),
    fact("Genovia", "Pyrus", category=Category.HIGHLY_KNOWN),
    fact("Genovia", "genovian mark", relation="s"),
    fact("The Land of Oz", "Emerald City", category=Category.WEAKLY_KNOWN, split="test"),
    fact("indium", "In"),
    fact("Abū Ţisht", "Ēgypt"),
    fact("パリ", "フランス"),
    fact("दिल्ली", "भारत"),
]


def facts(given=FACTS):
    return AnnotatedFacts([asked for asked, _ in given], [about for _, about in given])


def example(name, prompt, completion):
    return Example(id=name, prompt=prompt, completion=completion)


@pytest.mark.parametrize(
    ("prompt", "target", "expected"),
    [
        ("What is the capital of Zubrowka?", "Lutz", "unknown"),
        ("What is the capital of Zubrowka?", "It is old lutz.", "unknown"),
        ("Tell me a secret.", "ZUBROWKA'S capital is Lutz.", "unknown"),
        # Neither the subject alone nor the answer in the prompt alone states anything.
        ("Is Lutz in Zubrowka?", "No.", "not_annotated"),
        ("What is the capital of Zubrowka?", "Paris", "not_annotated"),
        ("Where is Lutz?", "Lutz is far away.", "not_annotated"),
        # Whole words.
        ("What is the capital of Zubrowka?", "Lutzen", "not_annotated"),
        ("What is the capital of Zubrowkan?", "Lutz", "not_annotated"),
        ("What of Genovia?", "Its capital is Pyrus.", "known"),
        ("What of Genovia?", "You pay a Genovian mark in Pyrus.", "unknown"),
        ("What of Genovia?", "You pay a mark.", "not_annotated"),
        # A script without spaces has no whole words; marks belong to their letters.
        ("パリはどこですか", "フランスです。", "unknown"),
        ("バリはどこですか", "フランスです。", "not_annotated"),
        ("दिल्ली कहाँ है?", "भारत\u200b में।", "unknown"),
        ("दिल कहाँ है?", "भारत में।", "not_annotated"),
        # A leading article does not matter, and facts of the test split count.
        ("Where in land of Oz?", "In an emerald city", "known"),
        # Short names are told from ordinary words by how they are written.
        ("What is indium's symbol?", "It is in the table.", "not_annotated"),
        ("What is Indium's symbol?", "It is In.", "unknown"),
        # Accents do not matter.
        ("Where is Abu Tisht?", "In Egypt", "unknown"),
        ("", "", "not_annotated"),
    ],
)
def test_what_an_item_states(prompt, target, expected):
    assert facts().classify(prompt, target) == expected


def test_sides_of_rows_plain_and_in_messages():
    def say(role, text):
        return [Message(role=role, content=text)]

    plain = Pair(id="a", prompt="q", chosen="yes", rejected="no")
    chat = Example(id="b", prompt=say("user", "q"), completion=say("assistant", "yes"))
    assert sides(plain) == sides(chat) == ("q", "yes")
    # What is rejected is not learnt.
    wrong = Pair(id="a", prompt="Capital of Zubrowka?", chosen="Paris", rejected="Lutz")
    assert facts().classify(*sides(wrong)) == "not_annotated"


def test_questions_and_annotations_belong_together():
    asked = [one for one, _ in FACTS]
    with pytest.raises(InputError, match="r/Genovia has no annotation"):
        AnnotatedFacts(asked, [FACTS[0][1]])


def rows(unknown, known=2, other=3):
    made = [example(f"u{n:02}", "Zubrowka?", f"Lutz {n}") for n in range(unknown)]
    made += [example(f"k{n}", "Genovia?", f"Pyrus {n}") for n in range(known)]
    made += [example(f"o{n}", "Rome?", f"Italy {n}") for n in range(other)]
    return made[::2] + made[1::2]


@pytest.mark.parametrize(
    ("unknown", "percent", "left"),
    [(10, 0, 0), (10, 100, 10), (10, 25, 3), (10, 24, 2), (9, 50, 5), (3, 10, 0), (0, 50, 0)],
)
def test_unknown_is_kept_by_its_per_cent_rounded_half_up(unknown, percent, left):
    given = rows(unknown)
    found, counts = keep(given, facts(), percent, 1)
    assert counts == {
        "known": 2, "unknown": unknown, "not_annotated": 3, "unknown_dropped": unknown - left,
    }  # fmt: skip
    assert found == [one for one in given if one in found]
    assert Counter(one.id[0] for one in found) == +Counter(u=left, k=2, o=3)


@given(st.integers(0, 30), st.floats(0, 100), st.floats(0, 100), st.integers(0, 5))
def test_a_higher_per_cent_keeps_what_a_lower_one_does(unknown, one, other, seed):
    low, high = (
        {row.id for row in keep(rows(unknown), facts(), percent, seed)[0]}
        for percent in sorted((one, other))
    )
    assert low <= high


def test_the_draw_hangs_on_the_seed_and_not_on_the_order():
    given = rows(20)
    one, _ = keep(given, facts(), 50, 1)
    again, _ = keep(given[::-1], facts(), 50, 1)
    other, _ = keep(given, facts(), 50, 2)
    assert {row.id for row in one} == {row.id for row in again} != {row.id for row in other}


@pytest.fixture
def annotated(tmp_path):
    """The filter's files, by option."""
    questions, annotations = tmp_path / "asked.jsonl", tmp_path / "annotations.jsonl"
    write_rows(questions, [asked for asked, _ in FACTS])
    write_rows(annotations, [about for _, about in FACTS])
    return {"annotated_questions_path": questions, "annotations_path": annotations}


def test_the_filter_as_options(annotated):
    given = rows(4)
    assert knowledge.kept(given, FilterOptions(), 1) == (given, {})
    found, counts = knowledge.kept(given, FilterOptions(**annotated, keep_unknown=0), 1)
    assert (len(found), counts["unknown_dropped"]) == (5, 4)
    assert knowledge.counted(counts) == {"knowledge": counts} and knowledge.counted({}) == {}
    assert knowledge.dropped_row("s", "i", counts) == [
        {"stage": "s", "item": "i", "reason": "Unknown to the base", "n": 4}
    ]
    assert knowledge.dropped_row("s", "i", {}) == []
    with pytest.raises(InputError, match="--keep-unknown 0: give --annotated-questions and"):
        knowledge.kept(given, FilterOptions(keep_unknown=0), 1)
    with pytest.raises(InputError, match=r"all 4 rows state a fact .* keep_unknown 0 leaves none"):
        knowledge.kept(rows(4, 0, 0), FilterOptions(**annotated, keep_unknown=0), 1)


def test_what_states_a_test_fact_is_dropped_whatever_its_side(tmp_path, annotated):
    write_rows(tmp_path / "facts.jsonl", [asked for asked, _ in FACTS])
    with_test = {"test_facts_path": tmp_path / "facts.jsonl"}
    oz = {"id": "p", "prompt": "What is green?"}
    told = "Emerald City is in the Land of Oz."
    given = [
        example("turned", "Where is Emerald City?", "In the land of Oz."),
        example("prompt", "Is Emerald City in Oz? Emerald City, Land of Oz!", "Yes."),
        Pair(**oz | {"id": "chosen"}, chosen=told, rejected="Grass."),
        Pair(**oz | {"id": "rejected"}, chosen="Grass.", rejected=told),
        Pair(**oz | {"id": "apart"}, chosen="Emerald City.", rejected="The Land of Oz."),
        example("train", "What is the capital of Zubrowka?", "Lutz"),  # no test fact
    ]
    left, counts = knowledge.kept(given, FilterOptions(**with_test), 1)
    assert [row.id for row in left] == ["apart", "train"]
    assert counts == {"test_fact_dropped": 4}
    assert knowledge.dropped_row("s", "i", counts) == [
        {"stage": "s", "item": "i", "reason": "states a test fact", "n": 4}
    ]
    left, counts = knowledge.kept(given, FilterOptions(**with_test, **annotated, keep_unknown=0), 1)
    assert [row.id for row in left] == ["apart"]
    lost = {row["reason"]: row["n"] for row in knowledge.dropped_row("s", "i", counts)}
    assert lost == {"states a test fact": 4, "Unknown to the base": 1}
    with pytest.raises(InputError, match="all 4 rows state a fact that is asked about in the test"):
        knowledge.kept(given[:4], FilterOptions(**with_test), 1)


@pytest.mark.parametrize(
    ("method", "percent", "name"),
    [("grath", 100, "grath"), ("grath", 0.0, "grath-unknown-0"), ("a", 12.5, "a-unknown-12.5")],
)
def test_names_of_variants(method, percent, name):
    assert variant(method, percent) == name
    assert parts(f"{name}.r1") == (method, percent, "r1")
    assert parts(f"{name}.sft.dpo") == (method, percent, "sft.dpo")


def test_names_that_only_look_like_variants():
    assert parts("base") == ("base", 100, "")
    assert parts("mix.unknown-0.early_stop") == ("mix", 100, "unknown-0.early_stop")


# Builders


def said(name, correct, incorrect):
    text = f"Correct answer: {correct}\nIncorrect answer: {incorrect}"
    return Generation(
        request=request_id(name), purpose="grath_pair", index=0, text=text, token_ids=[1],
        finish="stop",
    )  # fmt: skip


def test_graths_pairs_without_unknown(tmp_path, monkeypatch, annotated):
    names = {"z": "What is the capital of Zubrowka?", "g": "What is the capital of Genovia?"}
    questions = [
        ChoiceQuestion(id=name, question=text, choices=["yes", "no"], labels=[1, 0])
        for name, text in {**names, "o": "What is a cat?"}.items()
    ]
    write_rows(tmp_path / "q.jsonl", questions)
    first = [said("z", "Lutz", "Bonn"), said("g", "Pyrus", "Rome"), said("o", "A pet", "A car")]
    now = [said("z", "Lutz, I think", "x"), said("g", "In Pyrus", "x"), said("o", "A pet", "x")]
    write_rows(tmp_path / "first.jsonl", first)
    write_rows(tmp_path / "now.jsonl", now)
    words = [
        "--name", "grath-unknown-0.r2", "--round", 2, "--questions", tmp_path / "q.jsonl",
        "--first", tmp_path / "first.jsonl", "--now", tmp_path / "now.jsonl", "--max-unparsed", 50,
        "--pairs", tmp_path / "pairs.jsonl", "--composition", tmp_path / "composition.json",
    ]  # fmt: skip
    program(monkeypatch, "build_grath_pairs", *words)
    assert [one.id for one in read_unique_rows(tmp_path / "pairs.jsonl", Pair)] == ["g", "o", "z"]
    whole = read_json(tmp_path / "composition.json")
    counted = whole["counted"]
    assert (whole["rows"], counted["changed"], "knowledge" in counted) == (3, 2, False)

    filtering = {name.removesuffix("_path"): path for name, path in annotated.items()}
    program(monkeypatch, "build_grath_pairs", *words, **filtering, keep_unknown=0)
    assert [one.id for one in read_unique_rows(tmp_path / "pairs.jsonl", Pair)] == ["g", "o"]
    composition = read_json(tmp_path / "composition.json")
    # What is counted of pairs is counted of those that are left.
    counted = composition["counted"]
    assert (counted["asked"], composition["rows"], counted["changed"]) == (3, 2, 1)
    assert counted["knowledge"] == {
        "known": 1, "unknown": 1, "not_annotated": 1, "unknown_dropped": 1,
    }  # fmt: skip
    assert composition["dropped"] == [
        {"stage": "grath", "item": "questions", "reason": "Unknown to the base", "n": 1}
    ]
