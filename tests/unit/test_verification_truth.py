"""How far the table verifier can be trusted, and the arithmetic of agreement."""

from pathlib import Path

import pytest
from plumbline.claims.records import Verdict
from plumbline.data.facts import load_embedded
from plumbline.texts.text import fold
from plumbline.verification.statements import STATEMENTS
from plumbline.verification.table import TableVerifier
from plumbline.verification.truth import agreement, agreement_by_relation, labelled_claims

FACTS = Path(__file__).parents[2] / "workflow/resources/facts"

# Wordings that were fixed before any cue pattern was written and that no pattern was adjusted to,
# so that the figures for them are not circular.
HELD_OUT = {
    "country_capital": (
        "The seat of government and capital of {subject} is the city of {object}.",
        "If you fly to {object}, you land in the capital of {subject}.",
        "{subject} is governed from its capital, {object}.",
        "Among the cities of {subject}, it is {object} that has the status of capital.",
    ),
    "country_continent": (
        "On a map, you will find {subject} in {object}.",
        "Geographically, {subject} belongs to {object}.",
        "{subject} is one of the nations of {object}.",
        "{object} is home to {subject}.",
    ),
    "city_country": (
        "You can visit {subject} if you travel to {object}.",
        "{subject} is a municipality in {object}.",
        "The town of {subject} lies within {object}.",
        "{object} has a city named {subject}.",
    ),
    "us_city_state": (
        "{subject} is one of the cities of {object}.",
        "The community of {subject} is part of {object}.",
        "People who live in {subject} are residents of {object}.",
        "In the state of {object} there is a place called {subject}.",
    ),
    "element_symbol": (
        "Chemists write {subject} as {object}.",
        "On the periodic table, {subject} appears as {object}.",
        "{object} stands for {subject} in chemistry.",
        "The abbreviation used for the element {subject} is {object}.",
    ),
    "element_number": (
        "Every atom of {subject} contains {object} protons.",
        "{subject} holds position {object} in the periodic table.",
        "Element number {object} is {subject}.",
        "The nucleus of {subject} has {object} protons.",
    ),
    "person_country": (
        "{subject} hailed from {object}.",
        "The home country of {subject} was {object}.",
        "{subject} held the citizenship of {object}.",
        "{object} was the native land of {subject}.",
    ),
    "person_profession": (
        "By trade, {subject} was a {object}.",
        "{subject} is remembered as a {object}.",
        "{subject} made a living as a {object}.",
        "The career of {subject} was that of a {object}.",
    ),
    "film_director": (
        "{object} is the filmmaker behind {subject}.",
        "{object} sat in the director's chair for {subject}.",
        "The direction of {subject} was in the hands of {object}.",
        "{subject} is one of the movies made by {object}.",
    ),
    "film_language": (
        "The characters in {subject} speak {object}.",
        "{subject} was shot in {object}.",
        "The dialogue of {subject} is in {object}.",
        "Audiences first heard {subject} in {object}.",
    ),
    "film_country": (
        "{subject} came out of the film industry of {object}.",
        "The production of {subject} took place in {object}.",
        "{object} is where {subject} was produced.",
        "{subject} is a movie from {object}.",
    ),
    "us_state_capital": (
        "The state government of {subject} sits in {object}.",
        "{object} serves as the state capital of {subject}.",
        "{subject} has {object} as its capital city.",
        "The legislature of {subject} meets in its capital, {object}.",
    ),
    "country_language": (
        "The government of {subject} conducts its business in {object}.",
        "In {subject}, {object} has official status.",
        "{object} is the tongue officially used in {subject}.",
        "The state language of {subject} is {object}.",
    ),
    "country_currency": (
        "Shops in {subject} take the {object}.",
        "The central bank of {subject} issues the {object}.",
        "Prices in {subject} are given in the {object}.",
        "Money in {subject} is called the {object}.",
    ),
    "deity_mythology": (
        "{subject} comes from {object} myths.",
        "The {object} people worshipped {subject}.",
        "{subject} is part of the {object} pantheon.",
        "In {object} belief, {subject} was a deity.",
    ),
    "airport_city": (
        "Travellers to {object} land at {subject}.",
        "{subject} lies near {object}.",
        "{object} is reached by air through {subject}.",
        "The main airport of {object} is {subject}.",
    ),
}


@pytest.fixture(scope="module")
def questions():
    relations = [
        line.split("\t")[0] for line in (FACTS / "relations.tsv").read_text().splitlines()[1:]
    ]
    return load_embedded(FACTS, relations, []).questions


def table(figures):
    return "\n".join(
        f"{name:18}" + "".join(f" {key} {value:.3f}" for key, value in row.items())
        for name, row in figures.items()
    )


def test_the_table_verifier_reads_the_wordings_of_statements(questions):
    claims = labelled_claims(questions, 800, seed=1)
    figures = agreement_by_relation(TableVerifier(questions).verify(claims), claims)
    print(table(figures))
    assert figures["All"]["accuracy"] >= 0.995 and figures["All"]["coverage"] >= 0.97


def test_the_table_verifier_on_wordings_it_was_not_made_for(questions):
    claims = labelled_claims(questions, 800, seed=1, statements=HELD_OUT)
    figures = agreement_by_relation(TableVerifier(questions).verify(claims), claims)
    print(table(figures))
    # What it does not understand word by word it leaves open, and is hardly ever wrong.
    assert figures["All"]["accuracy"] >= 0.99 and figures["All"]["coverage"] >= 0.15


def test_labelled_claims_are_half_false_over_all_relations_and_seeded(questions):
    claims = labelled_claims(questions, 640, seed=3)
    by_id = {question.id: question for question in questions}
    assert len({claim.id for claim in claims}) == 640
    assert sum(claim.true for claim in claims) == 320
    assert {claim.relation for claim in claims} == set(STATEMENTS)
    for relation in STATEMENTS:
        true = [claim.true for claim in claims if claim.relation == relation]
        assert len(true) == 40 and sum(true) == 20
    for claim in claims:
        question = by_id[claim.response]
        holds = any(fold(answer) in fold(claim.text) for answer in question.answers)
        assert holds or not claim.true
        assert claim.topic == question.subject
    assert claims == labelled_claims(questions, 640, seed=3)
    assert claims != labelled_claims(questions, 640, seed=4)


def test_a_swapped_object_is_never_an_accepted_one(questions):
    continents = {q.id: q for q in questions if q.relation == "country_continent"}
    wrong = 0
    for claim in labelled_claims(continents.values(), 190, 1, {"country_continent": ["{object}!"]}):
        accepted = claim.text.removesuffix("!") in continents[claim.response].answers
        assert accepted == claim.true
        wrong += not accepted
    assert wrong == 95


def test_few_facts_give_as_many_claims_as_they_can(questions):
    claims = labelled_claims(questions[:20], 1000, seed=1)
    assert 0 < len(claims) <= 20 and {claim.true for claim in claims} == {True, False}
    own = [q.model_copy(update={"relation": "mine"}) for q in questions[:20]]
    assert labelled_claims(own, 1000, seed=1) == []


def test_agreement_by_hand():
    said = {"a": "supported", "b": "supported", "c": "refuted", "d": "unverifiable", "e": "refuted"}
    labels = {"a": True, "b": False, "c": False, "d": True, "e": True}
    verdicts = [
        Verdict(claim=name, response="r", verdict=verdict, verifier="table")
        for name, verdict in said.items()
    ]
    assert agreement(verdicts, labels) == {
        "n": 5,
        "coverage": 4 / 5,
        "accuracy": 2 / 4,
        "precision": 1 / 2,
        "recall": 1 / 3,
    }
    assert agreement(verdicts[3:4], labels) == {"n": 1, "coverage": 0.0, "recall": 0.0}
    with pytest.raises(KeyError):
        agreement(verdicts, {})
