"""Facts as sentences, and names in sentences."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.data.facts import load_embedded
from plumbline.storage.files import InputError
from plumbline.verification.cues import CUES
from plumbline.verification.nations import ADJECTIVES
from plumbline.verification.statements import KINDS, STATEMENTS, render, sentences
from plumbline.verification.words import Names, Text

FACTS = Path(__file__).parents[2] / "workflow/resources/facts"
RELATIONS = [line.split("\t")[0] for line in (FACTS / "relations.tsv").read_text().splitlines()[1:]]


def test_every_embedded_relation_has_wordings_kinds_and_cues():
    assert set(RELATIONS) == set(KINDS) == set(STATEMENTS) == set(CUES)
    for templates in STATEMENTS.values():
        assert len(set(templates)) == len(templates) >= 3
        assert all(
            "{subject}" in one and ("{object}" in one or "{an_object}" in one) for one in templates
        )
        # Both orders of mention, where there is one template with the object first.
    first = {
        r for r, ts in STATEMENTS.items() if any(t.find("object") < t.find("subject") for t in ts)
    }
    assert {"country_capital", "film_director", "element_symbol", "airport_city"} <= first


@pytest.mark.parametrize(
    ("relation", "subject", "object_", "template", "expected"),
    [
        ("country_capital", "France", "Paris", None, "The capital of France is Paris."),
        ("city_country", "Reno", "United States", 1, "The city of Reno is in the United States."),
        ("city_country", "Haarlem", "Netherlands", 0, "Haarlem is a city in the Netherlands."),
        ("person_profession", "Ada Byron", "actress", 0, "Ada Byron was an actress."),
        ("person_profession", "Ada Byron", "writer", 1, "Ada Byron worked as a writer."),
        ("element_number", "gold", "79", 1, "Gold is the element with the atomic number 79."),
        ("film_director", "Avatar", "eX Men", 2, "eX Men is the director of Avatar."),
    ],
)  # fmt: skip
def test_rendered_sentences(relation, subject, object_, template, expected):
    chosen = None if template is None else STATEMENTS[relation][template]
    assert render(relation, subject, object_, chosen) == expected


def test_a_relation_without_wordings_is_named():
    with pytest.raises(InputError, match=r"'P36' has no wordings.*country_capital"):
        render("P36", "France", "Paris")


def test_all_facts_become_sentences_that_name_both_sides():
    questions = load_embedded(FACTS, RELATIONS, []).questions
    made = list(sentences(questions))
    assert len(made) == len(questions) > 4000
    for question, text in made:
        assert question.answers[0] in text and text.endswith(".")
        assert question.subject.casefold() in text.casefold()


def test_adjectives_are_of_one_country_but_for_the_congos():
    seen = {}
    for country, adjectives in ADJECTIVES.items():
        for adjective in adjectives:
            assert adjective not in seen or adjective == "Congolese", (country, adjective)
            seen[adjective] = country


# --- names in text ------------------------------------------------------------------------------


def found(names, text):
    text = Text(text)
    return [(" ".join(text.words[m.start : m.end]), m.values) for m in names.find(text)]


def names_of(*names, **how):
    made = Names()
    for name in names:
        made.add(name, name, **how)
    return made


def test_the_longest_name_is_found_without_accents_and_punctuation():
    names = names_of("Mexico", "Mexico City", "São Tomé", "J. J. Abrams", "Washington, D.C.")
    assert found(names, "Mexico City is in Mexico.") == [
        ("Mexico City", ("Mexico City",)),
        ("Mexico", ("Mexico",)),
    ]
    assert found(names, "sao tome") == [("sao tome", ("São Tomé",))]
    assert found(names, "It is by J.J. Abrams") == [("JJ Abrams", ("J. J. Abrams",))]
    assert found(names, "Washington DC, not Washington") == [
        ("Washington DC", ("Washington, D.C.",))
    ]


def test_capitals_tell_names_from_words():
    assert found(names_of("Her"), "We saw her in Her") == [("Her", ("Her",))]
    assert found(names_of("Her"), "Her dog barked") == []  # opens the sentence
    assert found(names_of("Made in Hong Kong"), "was made in Hong Kong") == []
    assert found(names_of("The Matrix"), "directed the Matrix") == [("the Matrix", ("The Matrix",))]
    assert found(names_of("US", "ALL"), "All of us in the US") == [("US", ("US",))]
    assert found(names_of("He", exact=True), "the symbol He, not HE or he") == [("He", ("He",))]
    assert found(names_of("Lek", any_case=True), "the lek") == [("lek", ("Lek",))]
    assert found(names_of("Paris"), "paris is nice") == [("paris", ("Paris",))]  # all small


@given(st.text(), st.lists(st.text(max_size=12), max_size=4))
def test_mentions_are_in_order_and_do_not_overlap(text, names):
    mentions = names_of(*names).find(read := Text(text))
    assert all(m.start < m.end <= len(read) and m.values for m in mentions)
    assert all(one.end <= two.start for one, two in pairwise(mentions))
