"""Answers with passages: own answers' requests, and the passages before them."""

import pytest
from flame_data import instruction
from plumbline.config.verification import Passages
from plumbline.methods.flame.own_answers import own_answer_requests
from plumbline.methods.flame.retrieved import passage_store, rag_answer_requests, with_passages
from plumbline.records import Question
from plumbline.storage.files import InputError, write_rows
from plumbline.verification.passages import Passage
from plumbline.verification.search import PassageStore

PAGES = [
    Passage(id="p1", title="Oslo", text="Oslo lies on a fjord."),
    Passage(id="p2", title="Bergen", text="Bergen lies on a fjord and has much rain."),
    Passage(id="p3", title="Lima", text="Lima seldom has rain."),
]
SEEDS = [
    instruction("oslo", "Describe Oslo", "A capital."),
    instruction("rain", "Why rain", "Clouds."),
    instruction("zebra", "Zebra", "Stripes."),
]
ASKED = instruction("new", "Bergen: fjord, much rain", topic="Oslo")


def requests(asked, k, **changes):
    store = PassageStore(PAGES, 100)
    settings = {"shots": 2, "samples": 3, "max_tokens": 9, **changes}
    return list(rag_answer_requests(asked, SEEDS, store, k, **settings))


def test_a_prompt_with_passages_to_the_letter():
    (request,) = requests([ASKED], 2, shots=3)
    # Demonstrations in the order of own answers, each with its best passage if it has one; then the
    # best of all pages, also of those that are not the topic's, the best one last.
    (own,) = own_answer_requests([ASKED], SEEDS, shots=3, max_tokens=9)
    blocks = {
        "oslo": "Passages:\n- Oslo: Oslo lies on a fjord.\n\nDescribe Oslo\n\n### Response:\n"
        "A capital.",
        "rain": "Passages:\n- Lima: Lima seldom has rain.\n\nWhy rain\n\n### Response:\nClouds.",
        "zebra": "Zebra\n\n### Response:\nStripes.",
    }
    assert request.demonstrations == own.demonstrations and request.passages == ["p3#0", "p2#0"]
    assert request.prompt.split("### Instruction:\n")[1:] == [
        *(f"{blocks[name]}\n\n" for name in own.demonstrations),
        "Passages:\n- Lima: Lima seldom has rain.\n- Bergen: Bergen lies on a fjord and has much "
        "rain.\n\nBergen: fjord, much rain\n\n### Response:\n",
    ]


def test_only_the_passages_differ_from_own_answers():
    asked = [SEEDS[0], ASKED]
    found = requests(asked, 1)
    own = list(own_answer_requests(asked, SEEDS, shots=2, samples=3, max_tokens=9))
    assert [one.id for one in found] == ["oslo/flame_rag_answer", "new/flame_rag_answer"]
    for one, other in zip(found, own, strict=True):
        assert (one.sampling, one.instruction) == (other.sampling, other.instruction)
        assert one.demonstrations == other.demonstrations
        assert one.prompt != other.prompt and one.purpose != other.purpose


def test_what_no_passage_speaks_of_is_not_asked():
    assert requests([SEEDS[2]], 3) == []
    assert with_passages(SEEDS[2], []) == "Zebra"


def question(subject, answer, split):
    return Question(
        id=subject, relation="country_capital", subject=subject, question="?", answers=[answer],
        split=split, domain="id",
    )  # fmt: skip


def test_passages_come_from_facts_to_train_on_or_from_a_file(tmp_path):
    facts = [question("Norway", "Oslo", "train"), question("Peru", "Lima", "test")]
    store = passage_store(Passages(format="facts"), facts)
    assert [one["title"] for one in store.search("Norway Peru", "", 9)] == ["Norway"]
    write_rows(tmp_path / "pages.jsonl", PAGES)
    rows = Passages(format="rows", source="file:pages.jsonl")
    assert len(passage_store(rows, [], tmp_path / "pages.jsonl")) == 3
    with pytest.raises(InputError, match="passages of format rows: their file is missing"):
        passage_store(rows, [])
