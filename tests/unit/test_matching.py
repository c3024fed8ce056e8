import pytest
from plumbline.texts.matching import exact_match, first_line, is_abstention
from plumbline.texts.text import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Hague.", "hague"),
        ("An apple, a pear", "apple pear"),
        ("Washington, D.C.", "washington dc"),
        ("¿Qué?", "qué"),
        ("Côte d’Ivoire", "côte divoire"),
        ("“Rock’n’roll” — 1956", "rocknroll 1956"),
        ("$5 + $6", "5 + 6"),
        ("Theodore", "theodore"),
        ("Ａ１", "a1"),
        ("the", ""),
    ],
)
def test_normalise(text, expected):
    assert normalise(text) == expected


def test_composed_and_decomposed_accents_are_the_same():
    assert normalise("Bogota\u0301") == normalise("Bogotá") == "bogotá"


def test_first_line_skips_blank_lines():
    assert first_line("\n  \n Paris \nQ: What") == "Paris"
    assert first_line(" \n") == ""


def test_any_accepted_answer_matches_on_the_first_line_only():
    answers = ["Washington, D.C.", "Washington"]
    assert exact_match(" washington dc\nQ: next", answers)
    assert exact_match("Washington.", answers)
    assert not exact_match("Paris\nWashington", answers)
    assert not exact_match("Washington is the capital", answers)


def test_raw_compares_the_stripped_line_as_it_is():
    assert exact_match(" Paris ", ["Paris"], "raw")
    assert not exact_match("paris", ["Paris"], "raw")
    assert not exact_match("Paris.", ["Paris"], "raw")


def test_an_empty_output_never_matches():
    assert not exact_match("", ["The"])
    assert not exact_match("\n", ["?"], "raw")


def test_texts_that_normalise_to_nothing_match_only_themselves():
    assert exact_match("The", ["The"])
    assert not exact_match("?!", ["The"])


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="squad"):
        exact_match("x", ["x"], "f1")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("I don't know", True),
        ("I don’t know.", True),
        ("i dont know, sorry", True),
        ("I do not know the answer", True),
        ("I don't know\nParis", True),
        ("I don't knowingly lie", False),
        ("Paris. I don't know", False),
        ("", False),
    ],
)
def test_is_abstention(output, expected):
    assert is_abstention(output) is expected
