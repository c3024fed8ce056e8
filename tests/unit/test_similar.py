import random

from hypothesis import given
from hypothesis import strategies as st
from plumbline.data.similar import Index, near_duplicate, rouge_l

texts = st.lists(st.sampled_from("abcde"), max_size=9)


def test_the_rarer_shared_word_decides():
    documents = ["the cat sat", "the dog ran", "a heron sat", "so it goes"]
    index = Index(documents)
    assert index.ranking("Where is the HERON?")[:2] == [2, 0]
    assert index.ranking("dog, sat")[:2] == [1, 0]
    assert index.ranking("a") == [2, 0, 1, 3]
    assert (index.scores("a") > 0).tolist() == [False, False, True, False]


def test_equal_and_unmatched_documents_keep_their_order():
    assert Index(["x y", "x y", "z"]).ranking("y") == [0, 1, 2]
    for query in ("unheard of", "", "?!"):
        assert Index(["b", "", "a"]).ranking(query) == [0, 1, 2]
    assert Index([]).ranking("a") == []
    assert Index(["", "?"]).ranking("a") == [0, 1]


def test_near_duplicates_are_the_same_question_in_nearly_the_same_words():
    long = "Write a friendly letter to a neighbour who plays loud music late at night"
    assert near_duplicate("Who was Ada Lovelace?", "who was  ADA LOVELACE")
    assert near_duplicate("Name three large rivers.", "Name large, three rivers")
    assert near_duplicate(long, long + " please")
    assert not near_duplicate("What is the capital of Peru?", "What is the capital of Chad?")
    assert not near_duplicate(
        "Write a short biography of Bach.", "Write a short biography of Liszt."
    )
    assert not near_duplicate("Tell me.", "Tell you.")
    # 10 words have 8 trigrams; the last word changed leaves 7 of 9 (0.78), two leave 6 of 10.
    ten = "one two three four five six seven eight nine ten"
    assert near_duplicate(ten, ten.replace("ten", "eleven"))
    assert not near_duplicate(ten, ten.replace("nine ten", "ninety eleven"))


def test_rouge_l_by_hand():
    first = ["police", "killed", "the", "gunman"]
    second = ["the", "police", "killed", "a", "gunman"]  # 3 words in common, in this order
    assert rouge_l(first, second) == 6 / 9
    assert rouge_l(["a"], []) == rouge_l([], []) == 0
    assert rouge_l(["a", "b"], ["b", "a"]) == 0.5


@given(texts, texts)
def test_rouge_l_equals_the_plain_recursion(first, second):
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            longest = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else longest
    total = len(first) + len(second)
    assert rouge_l(first, second) == (2 * table[-1][-1] / total if total else 0)


def test_a_text_is_most_similar_to_itself():
    vocabulary = [f"w{number}" for number in range(300)]
    drawer = random.Random(1)
    documents = [" ".join(drawer.choices(vocabulary, k=12)) for _ in range(200)]
    index = Index(documents)
    assert [index.ranking(document)[0] for document in documents] == list(range(200))


def test_words():
    assert Index(["ete", "été"]).ranking("ÉTÉ") == [1, 0]
    assert Index(["la", "à-la 3.5"]).ranking("5, à") == [1, 0]
