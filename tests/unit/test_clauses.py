"""Sentences taken apart by rule into what each clause says, and conjunctions then verified."""

from pathlib import Path

import pytest
from plumbline.claims.by_rule import facts, split_by_rule
from plumbline.claims.records import Claim, Response
from plumbline.data.facts import load_embedded
from plumbline.verification.table import TableVerifier

FACTS = Path(__file__).parents[2] / "workflow/resources/facts"


@pytest.mark.parametrize(
    ("topic", "pronoun", "sentence", "expected"),
    [
        ("Fort Worth", "it", "Fort Worth is a city in Texas, bordering Michigan to the east.",
         ["Fort Worth is a city in Texas.", "Fort Worth is bordering Michigan to the east."]),
        ("Calgary", "it", "It's a city in Alberta, known for its rodeo, oil, and snow.",
         ["Calgary is a city in Alberta.", "Calgary is known for its rodeo, oil, and snow."]),
        ("Aden", "it", "Aden, a port on the Red Sea, is an old city.",
         ["Aden is a port on the Red Sea.", "Aden is an old city."]),
        ("Akron", "it", "Located in Ohio, it is a city with a lake.",
         ["Akron is located in Ohio.", "Akron is a city.", "Akron has a lake."]),
        ("Akron", "it", "Akron is a city that lies in Ohio.",
         ["Akron is a city.", "Akron lies in Ohio."]),
        ("Akron", "it", "Akron is a city in Ohio, a state of the US.",
         ["Akron is a city in Ohio.", "Ohio is a state of the US."]),
        ("Akron", "it", "Akron lies on the Cuyahoga, which is a long river.",
         ["Akron lies on the Cuyahoga.", "The Cuyahoga is a long river."]),
        ("cadmium", "it", "Cadmium is a chemical element with the symbol Cd and atomic number 48.",
         ["Cadmium is a chemical element.", "Cadmium has the symbol Cd.",
          "Cadmium has atomic number 48."]),
        ("Peru", "it", "Peru is bordered by Chile to the south, Brazil to the east, and the Pacific "
         "to the west.",
         ["Peru is bordered by Chile to the south.", "Peru is bordered by Brazil to the east.",
          "Peru is bordered by the Pacific to the west."]),
        ("Lima", "it", "Lima is the capital and largest city of Peru.",
         ["Lima is the capital of Peru.", "Lima is the largest city of Peru."]),
        ("Ann Bell", "she", "She was a French composer, pianist, and critic.",
         ["Ann Bell was a French composer.", "Ann Bell was a pianist.", "Ann Bell was a critic."]),
        ("Gambia", "it", "The Gambia is a country, with a population of two million.",
         ["The Gambia is a country.", "The Gambia has a population of two million."]),
        # Two adjectives are one noun's.
        ("Lima", "it", "Lima is a vibrant and old city.", ["Lima is a vibrant and old city."]),
        # Whom the end is about is left open: it stays with what comes before it.
        ("Akron", "it", "The mayor of Akron lives in a house, built in 1910.",
         ["The mayor of Akron lives in a house.",
          "The mayor of Akron lives in a house, built in 1910."]),
        ("Akron", "it", "Akron is a city of wide streets, which are quiet.",
         ["Akron is a city of wide streets.", "Akron is a city of wide streets, which are quiet."]),
        # One of a list.
        ("Akron", "it", "Akron is home to museums, including the Ida, the Otto, and a zoo.",
         ["Akron is home to museums, including the Ida, the Otto, and a zoo."]),
        ("Rex", None, "The director of The Good, the Bad and the Ugly is Rex.",
         ["The director of The Good, the Bad and the Ugly is Rex."]),
    ],
)  # fmt: skip
def test_clauses(topic, pronoun, sentence, expected):
    assert facts(sentence, topic, pronoun) == expected


@pytest.fixture(scope="module")
def verifier():
    relations = [
        line.split("\t")[0] for line in (FACTS / "relations.tsv").read_text().splitlines()[1:]
    ]
    return TableVerifier(load_embedded(FACTS, relations, []).questions)


def verdicts(verifier, topic, text):
    response = Response(id="r", prompt="?", topic=topic, text=text)
    return [one.verdict for one in verifier.verify(split_by_rule([response])[0])]


@pytest.mark.parametrize(
    ("topic", "text", "expected"),
    [
        ("Gabon", "Gabon is the only landlocked country in the continent of Africa.",
         ["unverifiable"]),
        ("Fort Worth", "Fort Worth is a city in Texas, bordering Michigan to the east.",
         ["supported", "unverifiable"]),
        ("Maurice Ravel", "Maurice Ravel was a French composer and tennis player.",
         ["supported", "refuted"]),
        ("Maurice Ravel", "Maurice Ravel was a French composer and beekeeper.",
         ["supported", "unverifiable"]),
        ("gold", "Gold is an element with the symbol Au and the atomic number 78.",
         ["unverifiable", "supported", "refuted"]),
        ("Lima", "Lima is the capital and largest city of Peru.", ["supported", "unverifiable"]),
    ],
)  # fmt: skip
def test_each_part_of_a_conjunction_has_a_verdict_of_its_own(verifier, topic, text, expected):
    assert verdicts(verifier, topic, text) == expected


def test_a_claim_that_was_not_taken_apart_is_not_supported_for_one_right_part(verifier):
    for text, expected in (
        ("Gold has the symbol Au and the atomic number 78.", "refuted"),
        ("Gold has the symbol Au and the price of silver.", "unverifiable"),
        ("Gold has the symbol Au and the atomic number 79.", "supported"),
    ):
        claim = Claim(id="c", response="r", topic="gold", sentence=0, text=text)
        assert verifier.verify([claim])[0].verdict == expected


def test_the_unfinished_sentence_of_a_response_that_was_cut_off_is_left_out_and_counted():
    text = "Lima is a city. It is in Peru. It is the cap"
    claims, (whole,) = split_by_rule([Response(id="r", prompt="?", topic="Lima", text=text)])
    assert (len(claims), whole.sentences, whole.cut) == (3, 3, 0)
    cut = Response(id="r", prompt="?", topic="Lima", text=text, cut_off=True)
    claims, (ended,) = split_by_rule([cut])
    assert [claim.text for claim in claims] == ["Lima is a city.", "Lima is in Peru."]
    assert (ended.state, ended.sentences, ended.cut, ended.claims) == ("ok", 2, 1, 2)
    alone = Response(id="r", prompt="?", topic="Lima", text="Lima is the cap", cut_off=True)
    claims, (nothing,) = split_by_rule([alone])
    assert (claims, nothing.state, nothing.cut) == ([], "cut_off", 1)
