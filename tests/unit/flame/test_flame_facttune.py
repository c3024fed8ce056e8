import pytest
from flame_data import answered
from hypothesis import given
from hypothesis import strategies as st
from plumbline.claims.records import Claim
from plumbline.methods.flame.facttune import confidence, equivalent, max_confidence
from plumbline.responses.questions import answer_requests, question_requests, questions


def claim(response, number, text="Oslo lies in Norway."):
    return Claim(id=f"{response}/{number}", response=response, topic="Oslo", sentence=0, text=text)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("barack obama", "obama", True),
        ("8 may 1945", "may 8 1945", True),
        ("painter", "painters", True),
        ("boxes", "box", True),
        ("obama", "barack", False),
        ("barack obama", "barack", False),  # the end counts, not the beginning
        ("1945", "1946", False),
        ("", "obama", False),
    ],
)
def test_equivalence_is_of_words(first, second, same):
    assert equivalent(first, second) == equivalent(second, first) == same


def test_the_largest_bin_by_hand():
    # Obama in three spellings (4 of 8), Bush twice, two empty.
    texts = [
        "Barack Obama", " Obama.\nQ: next", "barack obama", "the Obama", "Bush", "Bush", "", " \n"
    ]  # fmt: skip
    assert max_confidence(texts) == 0.5
    assert max_confidence(["", " "]) == 0
    assert max_confidence(["Paris"] * 3) == 1


@given(st.lists(st.sampled_from(["", "a1", "b2", "c3 b2", "a1s", "d"]), min_size=1), st.randoms())
def test_the_order_of_samples_does_not_matter(texts, shuffler):
    value = max_confidence(texts)
    assert 0 <= value <= 1
    shuffler.shuffle(texts)
    assert max_confidence(texts) == value


def test_from_claims_to_scores():
    claims = [claim("r#0", 0), claim("r#0", 1), claim("r#1", 0), claim("r#2", 0)]
    requests = list(question_requests(claims))
    assert requests[0].prompt.endswith("Topic: Oslo\nStatement: Oslo lies in Norway.\nQuestion:")
    texts = [" Where is Oslo? Statement:", "In which country is Oslo?", "What?", "It is"]
    asked, dropped = questions(
        requests,
        [one for r, text in zip(requests, texts, strict=True) for one in answered(r, text)],
    )
    assert asked == {
        "r#0/0": "Where is Oslo?",
        "r#0/1": "In which country is Oslo?",
        "r#1/0": "What?",
    }
    assert dropped == {"no question": 1}
    requests = list(answer_requests(asked, samples=4))
    assert requests[0].prompt.endswith("\n\nQ: Where is Oslo?\nA:")
    drawn = [("Norway",) * 4, ("Norway", "norway", "Sweden", "Peru"), ("a1", "b2", "c3", "d4")]
    generations = [
        one for r, texts in zip(requests, drawn, strict=True) for one in answered(r, *texts)
    ]
    rows = confidence(claims, requests, generations)
    assert [(row.id, row.score, row.supported, row.claims) for row in rows] == [
        ("r#0", 0.75, 1, 2),
        ("r#1", 0.25, 0, 1),
    ]  # r#2 has no question and no score


def test_the_papers_sampling():
    (request,) = answer_requests({"c": "Who?"})
    sampling = request.sampling
    assert (sampling.n, sampling.temperature, sampling.top_p, sampling.max_tokens) == (
        20,
        1,
        0.9,
        15,
    )
