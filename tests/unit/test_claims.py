import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.claims.by_model import (
    DEMONSTRATIONS,
    NONE,
    parse,
    split_from_generations,
    split_requests,
)
from plumbline.claims.by_rule import facts, split_by_rule
from plumbline.claims.records import Response, SplitState
from plumbline.claims.sentences import sentences
from plumbline.claims.split import is_refusal
from plumbline.records import Generation
from plumbline.storage.files import InputError
from plumbline.verification.statements import STATEMENTS, render
from real_data import published

FACTS = Path(__file__).parents[2] / "workflow/resources/facts"


def response(text, topic="Ann Bell", id="r1"):
    return Response(id=id, prompt=f"Tell me about {topic}.", topic=topic, text=text)


@pytest.fixture(scope="module")
def biographies():
    file = published("factscore") / "factscore/ChatGPT.jsonl"
    return [json.loads(line) for line in file.open(encoding="utf-8")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("J. R. R. Tolkien taught. He wrote.", ["J. R. R. Tolkien taught.", "He wrote."]),
        ("Dr. Hill saw Mrs. Lo. She left.", ["Dr. Hill saw Mrs. Lo.", "She left."]),
        ("It cost $1.2 million. Why?", ["It cost $1.2 million.", "Why?"]),
        ("It weighs 89. The rest is 3.5 kg.", ["It weighs 89.", "The rest is 3.5 kg."]),
        ("He paused... Then he went ... away.", ["He paused...", "Then he went ... away."]),
        ("The U.S. Army won. It left.", ["The U.S. Army won.", "It left."]),
        ('She said, "I am here." Then she left.', ['She said, "I am here."', "Then she left."]),
        ("One line\nand another. End", ["One line", "and another.", "End"]),
        (
            "## Life\n- **Born**: 1950\n2. Moved away.\n\n---\n",
            ["Born: 1950", "Moved away."],
        ),
        (" \n?!", []),
        ("她生于巴黎。她是诗人！是吗？是。", ["她生于巴黎。", "她是诗人！", "是吗？", "是。"]),
        ("彼は詩人です。東京で生まれた。", ["彼は詩人です。", "東京で生まれた。"]),
        ("1、她是诗人。\n2．她生于巴黎。", ["她是诗人。", "她生于巴黎。"]),
        ("वह कवि थी। दिल्ली में रही।", ["वह कवि थी।", "दिल्ली में रही।"]),
        ("هل هي شاعرة؟ نعم. ولدت.", ["هل هي شاعرة؟", "نعم.", "ولدت."]),
        ("Ήταν ποιήτρια; Ναι. Έγραψε.", ["Ήταν ποιήτρια;", "Ναι.", "Έγραψε."]),
        ("នាងជាកវី។ នាងកើត៕", ["នាងជាកវី។", "នាងកើត៕"]),
        ("그는 시인이다. 서울에 산다.", ["그는 시인이다.", "서울에 산다."]),
    ],
)
def test_sentences(text, expected):
    assert sentences(text, "Ann Bell") == expected


@pytest.mark.parametrize(
    ("topic", "text", "expected"),
    [
        ("Who's There? Who?", "Who's There? Who? is a film. It won.", 2),
        ("Run! (film)", "Ann Bell directed Run! She won. Run! is long.", 3),
        ("Ola Hall Jr.", "We met Ola Hall Jr. He left. Ola Hall Jr. was ill.", 3),
        ("World War Z", "We saw World War Z. It ended.", 2),
    ],
)
def test_marks_in_the_topics_name_end_no_sentence(topic, text, expected):
    found = sentences(text, topic)
    assert len(found) == expected
    assert " ".join(found) == text


@given(
    st.lists(st.sampled_from(["Ann", "St.", "is", "3.5", "“No!”", "U.S.", "(b. 1)", "Why?", "\n"]))
)
def test_no_word_is_lost_between_sentences(words):
    kept = [w for part in sentences(" ".join(words), "Ann Bell") for w in part.split()]
    assert kept == " ".join(words).split()


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I'm sorry, but I can’t find anyone of that name.", True),
        ("I am very sorry, there is nothing.", True),
        ("I don’t know who Ann Bell is.", True),
        ("As an AI model, I cannot look people up.", True),
        ("Unfortunately, I have no details.", True),
        ("There is no reliable information about Ann Bell.", True),
        ("I'm sorry for the delay. Ann Bell is a poet.", False),
        ("Ann Bell is a poet. I don't know more.", False),
        ("Sorry! is a board game.", True),  # the price of a rule that looks at words only
        ("I, Claudius is a novel.", False),
        ("", False),
    ],
)
def test_refusals(text, refused):
    assert is_refusal(text) is refused


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Ann Bell is a poet.", ["Ann Bell is a poet."]),
        ("She was born in Rome and grew up in Bonn.",
         ["Ann Bell was born in Rome.", "Ann Bell grew up in Bonn."]),
        ("She was born in Rome and died in Bonn.",
         ["Ann Bell was born in Rome.", "Ann Bell died in Bonn."]),
        ("She moved to Rome, joined a choir, and later taught there!",
         ["Ann Bell moved to Rome, joined a choir, and later taught there!"]),
        ("She taught in Rome, and she later became a judge but is retired.",
         ["Ann Bell taught in Rome.", "Ann Bell later became a judge.", "Ann Bell is retired."]),
        ("Her father was a smith and had a dog.", ["Ann Bell's father was a smith and had a dog."]),
        ("In 1990, she won a prize and left.", ["In 1990, Ann Bell won a prize and left."]),
        # The verb may belong to another subject, or share its object.
        ("She knew a man who drank and was ill.", ["Ann Bell knew a man who drank and was ill."]),
        ('She took "Up and was" home.', ['Ann Bell took "Up and was" home.']),
        ("She married Bo, and his son was a cook and had a farm.",
         ["Ann Bell married Bo, and his son was a cook and had a farm."]),
        ("She married Bo, and he died in Rome.", ["Ann Bell married Bo, and he died in Rome."]),
        ("She founded Acme, and it became rich.", ["Ann Bell founded Acme, and it became rich."]),
        ("She wrote and directed a film.", ["Ann Bell wrote and directed a film."]),
        ("She was asked and helped by Bo.", ["Ann Bell was asked and helped by Bo."]),
        ("She bought a ship called Sea and sold in Rome.",
         ["Ann Bell bought a ship called Sea and sold in Rome."]),
        # Not the topic's pronoun.
        ("He was her uncle.", ["He was her uncle."]),
        ("They sang and were happy.", ["They sang and were happy."]),
        # No claim.
        ("Who was she?", []),
        ("Sure, here is a short text!", []),
        ("I hope this helps.", []),
    ],
)  # fmt: skip
def test_facts_by_rule(sentence, expected):
    assert facts(sentence, "Ann Bell", "she") == expected


def test_it_is_not_the_topic_where_nothing_is_meant():
    assert facts("It is said that Rome is old.", "Avatar", "it") == ["It is said that Rome is old."]
    assert facts("It is an old film.", "Avatar", "it") == ["Avatar is an old film."]
    bought = "Avatar was made by Acme, and it was sold."
    assert facts(bought, "Avatar", "it") == [bought]


def test_the_first_pronoun_is_the_topics_and_others_are_left():
    claims, _ = split_by_rule([response("She founded Acme. It grew. He left. Her firm closed.")])
    texts = ["Ann Bell founded Acme.", "It grew.", "He left.", "Ann Bell's firm closed."]
    assert [claim.text for claim in claims] == texts


def test_a_sentence_made_from_a_fact_stays_one_claim_as_it_is():
    made = []
    for relation, templates in STATEMENTS.items():
        with (FACTS / f"{relation}.tsv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
        for row in rows:
            for template in templates:
                text = render(relation, row["subject"], row["answers"].split("|")[0], template)
                made.append(response(f"{text} {text}", row["subject"], id=str(len(made))))
    claims, outcomes = split_by_rule(made)
    assert len(made) > 10_000
    # Said twice, so the boundary between two is found too.
    assert {(one.sentences, one.duplicates, one.claims) for one in outcomes} == {(2, 1, 1)}
    assert [f"{claim.text} {claim.text}" for claim in claims] == [one.text for one in made]


def test_each_response_has_a_state_and_claims_have_unique_ids():
    claims, outcomes = split_by_rule(
        [
            response("She was born in Rome and lived in Bonn. Bo left.", id="a"),
            response(" \n", id="b"),
            response("I'm sorry, who is that?", id="c"),
            response("Who was she? I hope this helps.", id="d"),
        ]
    )  # fmt: skip
    assert [one.state for one in outcomes] == ["ok", "empty", "refused", "no_claims"]
    assert [one.sentences for one in outcomes] == [2, 0, 0, 2]
    assert [(one.id, one.sentence, one.text) for one in claims] == [
        ("a#0.0", 0, "Ann Bell was born in Rome."),
        ("a#0.1", 0, "Ann Bell lived in Bonn."),
        ("a#1.0", 1, "Bo left."),
    ]


def test_what_is_said_twice_in_a_response_is_kept_once():
    text = "Ann Bell lived in Bonn. She lived in  bonn.\nShe lived in Bonn"
    claims, (first, second) = split_by_rule([response(text, id="a"), response(text, id="b")])
    assert [claim.id for claim in claims] == ["a#0.0", "b#0.0"]
    assert (first.claims, first.duplicates) == (second.claims, second.duplicates) == (1, 2)


def test_one_request_a_sentence_and_none_where_there_is_nothing_to_split():
    asked = list(
        split_requests(
            [response("She is a poet. She sings.", id="a"), response("", id="b"),
             response("I'm sorry, no.", id="c"), response("He ran.", "Bo", id="d")], 64)
    )  # fmt: skip
    assert [(r.id, r.response, r.sentence) for r in asked] == [
        ("a/claims#0", "a", 0),
        ("a/claims#1", "a", 1),
        ("d/claims#0", "d", 0),
    ]
    assert asked[2].prompt.endswith("\n\nTopic: Bo\nSentence: He ran.\nFacts:\n")
    beginnings = {request.prompt.rpartition("Topic: ")[0] for request in asked}
    assert len(beginnings) == 1
    assert len(beginnings.pop()) > 1000
    assert {(r.sampling.temperature, r.sampling.max_tokens) for r in asked} == {(0, 64)}


def test_the_demonstrations_read_as_what_they_show():
    prompt = next(split_requests([response("She sings.")], 64)).prompt
    blocks = prompt.split("\n\n")[1:-1]
    lists = [block.split("Facts:\n")[1] for block in blocks]
    assert [parse(one, complete=True).facts for one in lists] == [one[2] for one in DEMONSTRATIONS]
    for topic, sentence, shown in DEMONSTRATIONS:
        assert "\n" not in sentence
        for fact in shown:
            assert topic.casefold() in fact.casefold() or "Analytical Engine" in fact


@pytest.mark.parametrize(
    ("text", "complete", "facts", "parsed", "cut"),
    [
        ("- Bo ran.\n- Bo  hid.", True, ("Bo ran.", "Bo hid."), True, False),
        ("Here they are:\n1. Bo ran.\n2) Bo hid.\n* Bo sat.\nDone", True,
         ("Bo ran.", "Bo hid.", "Bo sat."), True, False),
        ("- Bo ran.\n- Bo was bo", False, ("Bo ran.",), True, True),
        ("- Bo ran.\n", False, ("Bo ran.",), True, False),
        ("- Bo was bo", False, (), False, True),
        (NONE, True, (), True, False),
        ("- none.\n", True, (), True, False),
        ("-\n- ...", True, (), False, False),
        ("", True, (), False, False),
        ("Bo ran and hid.", True, (), False, False),
        ("-Bo ran.", True, (), False, False),
    ],
)  # fmt: skip
def test_reading_a_list(text, complete, facts, parsed, cut):
    found = parse(text, complete=complete)
    assert (found.facts, found.parsed, found.cut) == (facts, parsed, cut)


def answer(request, text, finish="stop"):
    return Generation(
        request=request, purpose="claims", index=0, text=text, token_ids=[1], finish=finish
    )


def test_claims_from_a_models_lists():
    responses = [
        response("She is a poet. She sings. She left.", id="a"),
        response("Hm. Well.", id="b"),
        response("Hm.", id="c"),
        response("", id="d"),
    ]
    generations = [
        answer("a/claims#1", "- Ann Bell sings.\n- ann bell is a poet\n- Ann B", "length"),
        answer("a/claims#0", "- Ann Bell is a poet."),
        answer("a/claims#2", "She left."),
        answer("b/claims#0", NONE),
        answer("b/claims#1", "?"),
        answer("c/claims#0", NONE),
    ]
    claims, outcomes = split_from_generations(responses, generations)
    assert [(one.id, one.text) for one in claims] == [
        ("a#0.0", "Ann Bell is a poet."),
        ("a#1.0", "Ann Bell sings."),
    ]
    first = outcomes[0]
    assert (first.sentences, first.unparsable, first.cut, first.duplicates) == (3, 1, 1, 1)
    assert [one.state for one in outcomes] == [
        SplitState.OK,
        SplitState.UNPARSABLE,
        SplitState.NO_CLAIMS,
        SplitState.EMPTY,
    ]
    with pytest.raises(InputError, match="a/claims#0 was not answered"):
        split_from_generations(responses, generations[:1])


def test_real_biographies_refused_are_those_without_annotations(biographies):
    assert len(biographies) == 183
    _, outcomes = split_by_rule(
        [response(row["output"], row["topic"], id=str(n)) for n, row in enumerate(biographies)]
    )
    states = ["refused" if row["annotations"] is None else "ok" for row in biographies]
    assert [one.state for one in outcomes] == states
    assert states.count("refused") == 26


def test_sentences_of_real_biographies_end_where_the_annotated_ones_do(biographies):
    def ends(parts):
        lengths, total = set(), 0
        for part in parts:
            total += len("".join(part.split()))
            lengths.add(total)
        return lengths

    right = found = expected = 0
    for row in biographies:
        gold = [one["text"] for one in row["annotations"] or ()]
        truth, own = ends(gold), ends(sentences(" ".join(gold), row["topic"]))
        right, found, expected = right + len(truth & own), found + len(own), expected + len(truth)
    print(f"precision {right / found:.4f}, recall {right / expected:.4f}, {expected} sentences")
    assert expected == 1241
    assert right / found > 0.99
    assert right / expected > 0.99
