"""Which facts a text states: names as whole words, subject and answer in two places."""

import pytest
from plumbline.texts.stated import SoughtFacts, in_answers

KNOWN = [
    ("Germany", ["Berlin"], "capital"),
    ("Singapore", ["Singapore"], "same"),
    ("Mexico", ["Mexico City"], "within"),
    ("New York City", ["United States", "US"], "city"),
    ("It", ["English"], "film"),
]
FACTS = SoughtFacts(KNOWN)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Berlin is the capital of Germany.", {"capital"}),
        ("BERLIN, germany", {"capital"}),
        ("Berliners like Germany.", set()),
        ("Berlin.", set()),
        ("", set()),
        # One mention is not both names.
        ("Singapore is large.", set()),
        ("Singapore is the capital of Singapore.", {"same"}),
        ("Mexico City is large.", set()),
        ("Mexico City is the capital of Mexico.", {"within"}),
        ("They live in the US, in New York City.", {"city"}),
        # Short names as they are written.
        ("Tell us of New York City.", set()),
        ("It is an English film.", {"film"}),
        ("Is it English?", set()),
    ],
)
def test_what_a_text_states(text, found):
    assert FACTS.stated(text) == found


def test_the_other_name_may_stand_around_the_text():
    assert FACTS.stated("Berlin.", "The capital of Germany?") == {"capital"}
    assert FACTS.stated("Germany.", "Where is Berlin?") == set()
    assert FACTS.stated("Germany.", "Where is Berlin?", answer_around=True) == {"capital"}
    # Not where both stand around it only.
    assert FACTS.stated("Yes.", "Is Berlin in Germany?", answer_around=True) == set()


def test_a_row_is_read_sentence_by_sentence():
    assert in_answers(FACTS, "Is Berlin in Germany? Go on.", ["No."]) == {"capital"}
    assert in_answers(FACTS, "Is it in Germany?\nOr Berlin?", ["No."]) == set()
    assert in_answers(FACTS, "Go on.", ["No.", "A. Berlin\nGermany. Mexico: Mexico City!"]) == {
        "within"
    }


def test_facts_of_one_subject_are_told_apart():
    facts = SoughtFacts([("Oz", ["Emerald City"], 1), ("Oz", ["Ozmark"], 2), ("?", ["!"], 3)])
    assert facts.stated("You pay an ozmark in Oz.") == {2}
    assert facts.stated("Oz: ozmarks, Emerald City!?") == {1}
