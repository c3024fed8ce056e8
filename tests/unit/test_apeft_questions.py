import pytest
from flame_data import answered
from plumbline.claims.records import AskedFact, Claim, Verdict
from plumbline.methods.apeft import by_model, by_table
from plumbline.methods.apeft.answers import stated, statements
from plumbline.methods.apeft.pairs import atomic
from plumbline.methods.apeft.questions import AtomicQuestion, choose, distinct
from plumbline.records import Question
from plumbline.responses.questions import answer_requests
from plumbline.storage.files import InputError
from plumbline.verification.table import TableVerifier


def claim(name, text, topic="Peru"):
    return Claim(id=name, response="r", topic=topic, sentence=0, text=text)


def verdict(claim, *evidence, decision="supported"):
    rows = [
        {"relation": relation, "subject": subject, "answers": [], "found": found}
        for relation, subject, *found in evidence
    ]
    return Verdict(claim=claim.id, response="r", verdict=decision, evidence=rows, verifier="table")


def fact(relation, subject, question, answer, split="train"):
    return Question(
        id=f"{relation}/{subject}", relation=relation, subject=subject, question=question,
        answers=[answer], split=split, domain="id",
    )  # fmt: skip


def question(name, topic="Peru", text="What is the capital of Peru?", **changes):
    statement = changes.pop("statement", "The capital of Peru is {answer}.")
    return AtomicQuestion(
        id=name, topic=topic, claim=name, question=text, statement=statement, **changes
    )


BREDA = AskedFact(relation="city_country", subject="Breda")
FACTS = [
    fact("country_capital", "Peru", "What is the capital of Peru?", "Lima"),
    fact("country_continent", "Peru", "Which continent is Peru on?", "South America"),
    fact("country_capital", "Chad", "What is the capital of Chad?", "N'Djamena", split="test"),
]


def test_claims_are_told_apart_by_their_words_within_a_topic():
    claims = [
        claim("a", "Lima is the capital."),
        claim("b", "lima is capital"),
        claim("c", "Lima is the capital.", topic="Lima"),
    ]
    kept, dropped = distinct(claims)
    assert [one.id for one in kept] == ["a", "c"] and dropped == {"said before": 1}


def test_questions_by_the_table_ask_for_what_the_verifier_read():
    claims = [
        claim("right", "Lima is the capital of Peru, in South America."),
        claim("wrong", "The capital of Peru is Quito."),
        claim("other", "Peru is lovely."),
        claim("test", "The capital of Chad is Lima."),
        claim("gone", "Oslo is the capital of Norway."),
    ]
    verdicts = {
        one.claim: one
        for one in (
            verdict(
                claims[0],
                ("country_capital", "Peru", "Lima"),
                ("country_continent", "Peru", "South America"),
            ),
            verdict(claims[1], ("country_capital", "Peru", "Quito"), decision="refuted"),
            verdict(claims[2], decision="unverifiable"),
            verdict(claims[3], ("country_capital", "Chad", "Lima"), decision="refuted"),
            verdict(claims[4], ("country_capital", "Norway", "Oslo")),
        )
    }
    found, dropped = by_table.questions(claims, verdicts, FACTS)
    assert [(one.id, one.question, one.statement, one.object) for one in found] == [
        ("right/0", "What is the capital of Peru?", "The capital of Peru is {answer}.", "Lima"),
        (
            "right/1",
            "Which continent is Peru on?",
            "Peru is a country in {answer}.",
            "South America",
        ),
        ("wrong/0", "What is the capital of Peru?", "The capital of Peru is {answer}.", "Quito"),
    ]
    assert dropped == {
        "no fact recognised": 1,
        "subject not of the training split": 1,
        "fact without a question": 1,
    }
    with pytest.raises(InputError, match="claim right has no verdict"):
        by_table.questions(claims, {}, FACTS)


def test_a_statement_is_as_english_wants_it():
    assert by_table.statement("country_capital", "Netherlands") == (
        "The capital of the Netherlands is {answer}."
    )
    # The wording with an article before the object cannot take any object.
    assert by_table.statement("person_profession", "Ann") == "The profession of Ann was {answer}."
    city = question("a", statement="Breda is a city in {answer}.", asked=BREDA)
    assert stated(city, "Netherlands") == "Breda is a city in the Netherlands."
    assert stated(city, "Peru") == "Breda is a city in Peru."
    money = question("b", statement="The currency of Peru is the {answer}.")
    assert stated(money, "the sol") == "The currency of Peru is the sol."
    assert stated(question("c", statement="{answer} won."), "a horse") == "A horse won."


@pytest.mark.parametrize("text", ["no slot", "{answer} and {answer}"])
def test_a_statement_has_one_slot(text):
    with pytest.raises(ValueError, match=r"expected \{answer\} once"):
        question("a", statement=text)


def test_a_model_writes_the_question_and_copies_the_answer():
    texts = {
        "Lima is the capital of Peru.": " What is Peru's capital?\nAnswer: Lima.",
        "Peru borders Chile.": " Which country does Peru border?\nAnswer: Bolivia",
        "Peru has mines.": " What has mines?\nAnswer: Peru",
        "Peru exports copper.": " Does Peru export copper?\nAnswer: copper",
        "It was founded in 1821.": " When was Peru founded?\nAnswer: 1821",
        "Peru had a king in 1600.": " When did it have a king?\nAnswer: 1600",
        "Peru is big.": " Peru is big\nAnswer: big",
        "Peru is old.": "",
        "Lima faces Lima bay.": " Which bay does Peru's port face?\nAnswer: Lima",
    }
    claims = [claim(f"c{n}", text) for n, text in enumerate(texts)]
    requests = list(by_model.requests(claims))
    assert requests[0].prompt.endswith(
        "Topic: Peru\nStatement: Lima is the capital of Peru.\nQuestion:"
    )
    generations = [
        one
        for request, text in zip(requests, texts.values(), strict=True)
        for one in answered(request, text)
    ]
    read = {"c0": verdict(claims[0], ("country_capital", "Peru", "Lima", "Callao"))}
    (found,), dropped = by_model.questions(claims, requests, generations, read)
    assert found.asked == AskedFact(relation="country_capital", subject="Peru")
    # The verifier read nothing, or something else than what is asked for.
    other = {"c0": verdict(claims[0], ("country_capital", "Peru", "Callao"))}
    for verdicts in ({}, other):
        (again,), _ = by_model.questions(claims, requests, generations, verdicts)
        assert again == found.model_copy(update={"asked": None})
    assert (found.question, found.object) == ("What is Peru's capital?", "Lima")
    assert found.statement == "{answer} is the capital of Peru."
    assert dropped == {
        "answer not in the claim": 2,
        "asks for the topic": 1,
        "question holds the answer": 1,
        "subject left to a pronoun": 2,
        "no question": 1,
        "empty": 1,
    }


def test_a_question_is_asked_once_an_entity_and_not_more_than_the_limit():
    texts = ["Who?", "who", "Where?", "When?", "Why?"]
    asked = [question(f"q{n}", text=text) for n, text in enumerate(texts)]
    asked.append(question("other", topic="Chad", text="Who?"))
    kept, dropped = choose(asked, None)
    assert [one.id for one in kept] == ["q0", "q2", "q3", "q4", "other"]
    assert dropped == {"asked before": 1, "over atomic_per_entity": 0}
    kept, dropped = choose(asked, 2)
    assert len(kept) == 3 and kept[-1].id == "other"
    assert dropped == {"asked before": 1, "over atomic_per_entity": 2}
    # The same whatever else there is, and a smaller limit keeps some of the same.
    fewer, _ = choose(asked, 1)
    assert {one.id for one in fewer} < {one.id for one in kept}


def test_every_distinct_answer_becomes_a_statement_with_its_number():
    asked = [question("q")]
    (request,) = answer_requests({"q": asked[0].question}, samples=8)
    texts = ["Lima", " lima.", "Lima", "Quito\n\nQ: next", "", "?!", "I don't know", "the Quito"]
    rows, dropped = statements(asked, [request], answered(request, *texts))
    assert [(one.id, one.response, one.statement, one.answer, one.n) for one in rows] == [
        ("q#0", "q", "The capital of Peru is Lima.", "Lima", 3),
        ("q#1", "q", "The capital of Peru is Quito.", "Quito", 2),
    ]
    assert dropped == {"empty": 2, "abstained": 1}
    texts = ["Lima", "the capital of Peru is Lima.", *["The capital of Peru is"] * 6]
    rows, dropped = statements(asked, [request], answered(request, *texts))
    assert [(one.answer, one.n) for one in rows] == [("The capital of Peru is", 6), ("Lima", 2)]
    rows, dropped = statements(asked, [request], answered(request, *["Lima"] * 8, finish="length"))
    assert rows == [] and dropped == {"unfinished": 8}
    with pytest.raises(InputError, match="question other was not asked"):
        statements([question("other")], [request], answered(request, *texts))


def phoenix(asked):
    """What the tables' verifier makes of answers to where Phoenix lies, and the pairs of them."""
    facts = [
        fact("city_country", "Phoenix", "Which country is Phoenix in?", "United States"),
        fact("us_city_state", "Phoenix", "Which state is Phoenix in?", "Arizona"),
        fact("us_city_state", "Austin", "Which state is Austin in?", "Texas"),
        fact("city_country", "Puebla", "Which country is Puebla in?", "Mexico"),
    ]
    if asked == "us_city_state":
        text, wrong = "Phoenix is a city in the US state of {answer}.", "Texas"
    else:
        text, wrong = "Phoenix is a city in {answer}.", "Mexico"
    one = question(
        "q", topic="Phoenix", text=f"{asked}?", statement=text,
        asked=AskedFact(relation=asked, subject="Phoenix"),
    )  # fmt: skip
    (request,) = answer_requests({"q": one.question}, samples=8)
    texts = ["Arizona"] * 4 + ["United States"] * 2 + [wrong] * 2
    rows, _ = statements([one], [request], answered(request, *texts))
    verdicts = TableVerifier(facts).verify(rows)
    said = {row.answer: v.verdict for row, v in zip(rows, verdicts, strict=True)}
    by_id = {v.claim: v for v in verdicts}
    built = atomic([one], rows, by_id, samples=8, form="plain", max_length_gap=4)
    return said, built


def test_an_answer_is_right_in_the_relation_that_is_asked_for_alone():
    said, built = phoenix("city_country")
    assert said == {"Arizona": "unverifiable", "United States": "supported", "Mexico": "refuted"}
    assert built.counted["right"] == {2: 1}
    (pair,) = built.rows
    assert pair.chosen == "Phoenix is a city in the United States."
    assert pair.rejected == "Phoenix is a city in Mexico."
    said, built = phoenix("us_city_state")
    assert said == {"Arizona": "supported", "United States": "unverifiable", "Texas": "refuted"}
    assert built.counted["right"] == {4: 1}


def test_a_fact_is_asked_of_its_subject():
    facts = [
        fact("country_capital", "Georgia", "What is the capital of Georgia?", "Tbilisi"),
        fact("us_state_capital", "Georgia", "What is the capital of the state?", "Atlanta"),
        fact("country_capital", "Peru", "What is the capital of Peru?", "Lima"),
    ]
    text = "The capital of Georgia is Tbilisi."
    asked = AskedFact(relation="us_state_capital", subject="Georgia")
    told, state = TableVerifier(facts).verify([
        claim("a", text, topic="Georgia"),
        claim("b", text, topic="Georgia").model_copy(update={"asked": asked}),
    ])  # fmt: skip
    assert (told.verdict, state.verdict) == ("supported", "refuted")
    asked = AskedFact(relation="country_capital", subject="Peru")
    (of_peru,) = TableVerifier(facts).verify(
        [claim("c", text, topic="Georgia").model_copy(update={"asked": asked})]
    )
    assert of_peru.verdict == "unverifiable"


def test_a_judge_that_knows_no_relations_is_shown_the_question():
    (request,) = answer_requests({"q": "Which country is Phoenix in?"}, samples=1)
    one = question("q", text="Which country is Phoenix in?", statement="Phoenix is in {answer}.")
    ((row,), _) = statements([one], [request], answered(request, "Arizona"))
    assert row.statement == "Phoenix is in Arizona."
    assert row.text == (
        'The answer to the question "Which country is Phoenix in?" is: Phoenix is in Arizona.'
    )
