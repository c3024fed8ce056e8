"""Claims checked against the embedded fact tables."""

from pathlib import Path

import pytest
from plumbline.claims.records import Claim
from plumbline.data.facts import load_embedded
from plumbline.records import Question
from plumbline.storage.files import InputError
from plumbline.verification.table import STATES, TableVerifier

FACTS = Path(__file__).parents[2] / "workflow/resources/facts"


@pytest.fixture(scope="module")
def verifier():
    relations = [
        line.split("\t")[0] for line in (FACTS / "relations.tsv").read_text().splitlines()[1:]
    ]
    return TableVerifier(load_embedded(FACTS, relations, []).questions)


def check(verifier, text, topic="nothing in particular"):
    claim = Claim(id="c", response="r", topic=topic, sentence=0, text=text)
    (verdict,) = verifier.verify([claim])
    assert (verdict.claim, verdict.response, verdict.verifier) == ("c", "r", "table")
    assert (verdict.verdict == "unverifiable") == (verdict.state in STATES)
    return verdict


@pytest.mark.parametrize(
    "text",
    [
        "Paris is the capital of France.",
        "Mexico City is the capital of Mexico.",
        "Singapore's capital is Singapore.",
        "Tbilisi is the capital of Georgia.",
        "Atlanta is the capital of Georgia.",
        "Carson City is the capital of Nevada.",
        "The UK's capital is London.",
        "Kenya is an African country.",
        "Akron is a city in Ohio.",
        "The Japanese yen is the currency of Japan.",
        "The atomic number of Aluminium is 13.",
        "Gold is the 79th element of the periodic table, with atomic number 79.",
        "The chemical symbol of helium is He.",
        "Maurice Ravel was a French composer.",
        "Maurice Ravel (1875-1937) was from France.",
        "Inception was directed by Christopher Nolan.",
        "Rashomon is a film whose original language is Japanese.",
        "Artemis is a deity in Greek mythology.",
    ],
)
def test_true_claims_are_supported(verifier, text):
    verdict = check(verifier, text)
    assert (verdict.verdict, verdict.state) == ("supported", "ok")
    assert verdict.evidence and set(verdict.evidence[0]) == {
        "relation", "subject", "answers", "found",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Berlin is the capital of France.",
        "France's capital is Berlin.",
        "Monaco's capital is Paris.",
        "The capital of Georgia is Berlin.",
        "Kenya is a country in South America.",
        "Akron is a city in Texas.",
        "The currency of Japan is the Swiss franc.",
        "The atomic number of gold is 78.",
        "The chemical symbol of helium is H.",
        "Maurice Ravel was a German composer.",
        "Maurice Ravel was a tennis player.",
        "Inception was directed by Tim Burton.",
        "Artemis is a goddess in Norse mythology.",
    ],
)
def test_false_claims_are_refuted(verifier, text):
    verdict = check(verifier, text)
    assert (verdict.verdict, verdict.state) == ("refuted", "ok")


@pytest.mark.parametrize(
    "text",
    [
        "Gabon is the only landlocked country in the continent of Africa.",
        "Fort Worth is a city in Texas, bordering Michigan to the east.",
        "France's capital is Paris, a city on the Seine.",
        "The capital and largest city of France is Paris.",
        "Kenya is a country in East Africa.",
        "Akron is a city in northern Ohio.",
        "Akron is a city in Ohio with 12 million inhabitants.",
        "Akron is the oldest city in Ohio.",
        "Maurice Ravel was a French composer and a spy.",
        "Maurice Ravel was a famous French composer.",
        "Paris and Lyon are the capital of France.",
        "Cadmium has the symbol Cd and an unknown colour.",
    ],
)
def test_a_claim_that_says_more_than_the_facts_is_not_supported(verifier, text):
    verdict = check(verifier, text)
    assert (verdict.verdict, verdict.state) == ("unverifiable", "says more")
    assert verdict.evidence  # of what is right in it


@pytest.mark.parametrize(
    "text",
    [
        "Gold has the symbol Au and the atomic number 78.",
        "Akron is a city in Texas, known for its tyres.",
    ],
)
def test_a_conjunction_with_a_false_part_is_refuted(verifier, text):
    assert check(verifier, text).verdict == "refuted"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("My neighbour grows tomatoes.", "no subject"),
        ("France borders Spain.", "no relation"),
        ("The capital of France is Gotham.", "no object"),
        ("Berlin is not the capital of France.", "qualified"),
        ("Bonn was formerly the capital of Germany.", "qualified"),
        ("Lyon, unlike Paris, is no capital of France.", "qualified"),
        ("Spanish is spoken in Canada.", "no relation"),  # two official languages: no fact
        ("Spanish is spoken in Germany.", "not excluded"),
        ("Louisa May Alcott was a poet.", "not excluded"),  # listed: novelist, writer
        ("Clement Attlee was from England.", "not excluded"),  # listed: United Kingdom
        ("Maurice Ravel was born in Germany.", "not excluded"),
        ("The capital of France is mostly known for Berlin.", "not excluded"),
    ],
)
def test_what_the_tables_cannot_tell_is_unverifiable_with_its_reason(verifier, text, state):
    verdict = check(verifier, text)
    assert (verdict.verdict, verdict.state) == ("unverifiable", state)


@pytest.mark.parametrize(
    "text",
    [
        # Long true sentences in which names stand near each other.
        "Munich is the capital and most populous city of Bavaria, Germany.",
        "Hangzhou is the capital of Zhejiang province, China.",
        "Barranquilla is the capital district of a department in Colombia.",
        "Hanoi has many buildings, including French ones, from the growth of the city.",
        "Alfred Hitchcock was an English filmmaker.",
        "Gold is a group 11 element.",
        "Trinidad and Tobago is close to the continent of South America, north of Venezuela.",
        "Economically, Johannesburg is the commercial capital of South Africa.",
    ],
)
def test_nothing_true_is_refuted_for_its_neighbours(verifier, text):
    assert check(verifier, text).verdict != "refuted"


@pytest.mark.parametrize(
    ("topic", "text", "expected"),
    [
        ("Chiang Mai", "It is located in Thailand.", "supported"),
        ("Chiang Mai", "The city is located in Peru.", "refuted"),
        ("Maurice Ravel", "He was a French composer.", "supported"),
        ("Maurice Ravel", "Ravel was a German composer.", "refuted"),
        ("Inception", "The film was directed by Tim Burton.", "refuted"),
        ("gold", "Its atomic number is 79.", "supported"),
        ("Inner Mongolia", "Its capital is Hohhot.", "unverifiable"),  # is not Mongolia
        ("Chiang Mai", "Paris is the capital of France.", "supported"),  # another subject
        ("Maurice Ravel", "…", "unverifiable"),
        ("Chiang Mai", "Elephants are located in Peru.", "unverifiable"),
    ],
)
def test_a_pronoun_stands_for_the_topic(verifier, topic, text, expected):
    assert check(verifier, text, topic).verdict == expected


def test_the_evidence_is_the_fact_and_what_was_found(verifier):
    assert check(verifier, "The capital of Peru is Quito.").evidence == [
        {
            "relation": "country_capital",
            "subject": "Peru",
            "answers": ["Lima"],
            "found": ["Quito"],
        }
    ]


def test_one_false_part_makes_a_claim_false(verifier):
    verdict = check(verifier, "Maurice Ravel was a German composer.")
    assert [e["relation"] for e in verdict.evidence] == ["person_country", "person_profession"]


def question(relation, subject, *answers):
    return Question(
        id=f"{relation}/{subject}", relation=relation, subject=subject, question="?",
        answers=answers, split="test", domain="id",
    )  # fmt: skip


def test_only_the_runs_own_facts_are_used():
    small = TableVerifier([question("country_capital", "Freedonia", "Fredville")])
    assert check(small, "Fredville is the capital of Freedonia.").verdict == "supported"
    assert check(small, "Paris is the capital of France.").state == "no subject"


def test_relations_without_cues_are_left_out_and_told(caplog):
    TableVerifier([question("P36", "France", "Paris"), question("country_capital", "Peru", "Lima")])
    assert "1 facts are not used" in caplog.text and "P36" in caplog.text
    with pytest.raises(InputError, match="no fact that claims can be checked against"):
        TableVerifier([question("P36", "France", "Paris")])
