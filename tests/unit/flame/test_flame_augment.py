import pytest
from flame_data import answered, instruction
from plumbline.methods.flame.augment import (
    augment_requests,
    lists_for,
    new_instructions,
    parse,
)
from plumbline.storage.files import InputError

SEEDS = [
    instruction(name, text)
    for name, text in (
        ("a", "Write a poem about\nthe sea."),
        ("b", "Who was Bach?"),
        ("c", "Add two and three."),
    )
]


def test_seeds_are_listed_and_the_list_is_left_open():
    plain, other = augment_requests(SEEDS, 2, "plain", seed=1, shots=3)
    listed = plain.prompt.split("\n\n")[1].splitlines()
    assert [line.split(". ", 1)[0] for line in listed] == ["1", "2", "3", "4."]
    assert {line.split(". ", 1)[1] for line in listed[:3]} == {
        "Write a poem about the sea.", "Who was Bach?", "Add two and three."
    }  # fmt: skip
    assert plain.prompt.endswith("\n4.")
    assert other.prompt != plain.prompt or other.id != plain.id
    (chat,) = augment_requests(SEEDS, 1, "chat", seed=1, shots=3)
    assert not chat.messages[0].content.endswith("4.")
    with pytest.raises(InputError, match=r"3 seed instruction\(s\); 8 are shown"):
        list(augment_requests(SEEDS, 1, "chat", seed=1))


def test_items_are_numbered_lines():
    text = " Name a bird.\n5) Draw up\n a plan.\n6. Stop"
    assert parse(text, complete=True, opened=True) == ["Name a bird.", "Draw up a plan.", "Stop"]
    assert parse(text, complete=False, opened=True) == ["Name a bird.", "Draw up a plan."]
    text = "Sure!\n\n1. Name a bird.\n\nI hope that helps"
    assert parse(text, complete=False, opened=False) == ["Name a bird."]
    assert parse("no list", complete=True, opened=False) == []


def test_only_what_is_new_is_kept():
    requests = list(augment_requests(SEEDS, 2, "chat", seed=1, shots=3))
    generations = [
        *answered(
            requests[0],
            "1. Who was Liszt?\n2. who was Bach\n3. Sing!\n4. " + "very " * 151 + "\n"
            "5. Write a long poem about the sea.\n6. Plan a week of meals.",
        ),
        *answered(requests[1], "1. Plan a week of good meals.\n2. Fold a boat of paper."),
    ]
    kept, dropped = new_instructions(SEEDS, requests, generations)
    assert [one.instruction for one in kept] == [
        "Who was Liszt?", "Plan a week of meals.", "Fold a boat of paper."
    ]  # fmt: skip
    assert dropped == {"near-duplicate": 3, "too short": 1, "too long": 1}
    assert len({one.id for one in kept}) == 3
    assert all(one.responses == [] and one.source == "augmented" for one in kept)
    two, dropped = new_instructions(SEEDS, requests, generations, wanted=2)
    assert two == kept[:2] and dropped["more than wanted"] == 1
    assert new_instructions(SEEDS, requests, generations, wanted=3)[1] == {
        "near-duplicate": 3, "too short": 1, "too long": 1
    }  # fmt: skip
    assert new_instructions(SEEDS, requests[:1], answered(requests[0], "none"))[1] == {
        "no list item": 1
    }


def test_a_list_for_every_two_instructions_wanted():
    assert [lists_for(wanted) for wanted in (1, 2, 3, 500)] == [1, 1, 2, 250]
