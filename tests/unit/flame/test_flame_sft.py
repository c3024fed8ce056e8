from collections import Counter

import pytest
from flame_data import answered, instruction
from hypothesis import given
from hypothesis import strategies as st
from plumbline.data.instructions import load_instructions
from plumbline.data.similar import Index, near_duplicate
from plumbline.methods.flame.own_answers import (
    demonstrations,
    own_answer_requests,
    own_answers,
)
from plumbline.methods.flame.sft import build_sft
from plumbline.responses.drawn import collect, response_requests
from plumbline.storage.files import InputError

SEEDS = [
    instruction("bach", "Who was the composer Bach?", "Bach wrote fugues."),
    instruction("bach-again", "The composer Bach was who?", "A German composer."),
    instruction("liszt", "Who was the composer Liszt?", "Liszt played the piano."),
    instruction("bread", "How do I bake bread?", "Knead, wait, bake."),
    instruction("prompt-only", "Who was the composer Weber?"),
]
INDEX = Index([seed.instruction for seed in SEEDS])


def test_demonstrations_are_similar_and_never_the_question_itself():
    shown = demonstrations(SEEDS[0], SEEDS, INDEX, 2)
    assert [seed.id for seed in shown] == ["bread", "liszt"]  # the most similar one comes last
    stranger = instruction("new", "who was the composer BACH")
    assert [seed.id for seed in demonstrations(stranger, SEEDS, INDEX, 1)] == ["liszt"]
    with pytest.raises(InputError, match=r"instruction bach: 2 of 5 seed.* 3 are needed"):
        demonstrations(SEEDS[0], SEEDS, INDEX, 3)


def test_the_seed_set_shows_each_of_its_own_instructions_five_others():
    seeds, _ = load_instructions("embedded")
    for request, seed in zip(own_answer_requests(seeds, seeds, max_tokens=9), seeds, strict=True):
        shown = [next(s for s in seeds if s.id == name) for name in request.demonstrations]
        assert len(shown) == 5 and seed not in shown
        assert not any(near_duplicate(one.instruction, seed.instruction) for one in shown)
        assert request.prompt.count("### Instruction:\n") == 6
        assert request.prompt.endswith(f"### Instruction:\n{seed.instruction}\n\n### Response:\n")
        assert seed.responses[0] not in request.prompt
        assert (request.sampling.n, request.sampling.temperature) == (10, 0.7)


def test_a_few_shot_prompt_to_the_letter():
    (request,) = own_answer_requests([SEEDS[3]], SEEDS[2:3], shots=1, samples=2, max_tokens=9)
    assert request.prompt == (
        "### Instruction:\nWho was the composer Liszt?\n\n### Response:\nLiszt played the piano."
        "\n\n### Instruction:\nHow do I bake bread?\n\n### Response:\n"
    )
    assert request.sampling.stop == ("### Instruction:",)


def test_own_answers_end_at_the_next_header_and_copies_are_dropped():
    requests = list(own_answer_requests(SEEDS[:1], SEEDS, shots=2, samples=6, max_tokens=9))
    generations = answered(
        requests[0],
        " Bach was born in Eisenach.\n\n",
        "Bach was born in Eisenach.\n\n### Instruction:\nWho was Liszt?",
        "liszt played  the piano.",  # what a demonstration says
        "\n\n### Instruction:",
        "He had many children.",
        "",
    )
    answers, dropped = own_answers(SEEDS, SEEDS, requests, generations)
    assert answers == {"bach": ["Bach was born in Eisenach.", "He had many children."]}
    assert dropped == {"repetition": 1, "copy of a demonstration": 1, "empty": 2}


def test_cut_off_answers_are_dropped_unless_asked_for():
    requests = list(response_requests(SEEDS[:1], "chat", samples=2, max_tokens=9))
    assert requests[0].messages[0].content == "Who was the composer Bach?"
    assert requests[0].sampling.stop == ()
    generations = answered(requests[0], "He was born in", "A.\n### Instruction: B", finish="length")
    kept, dropped = collect(SEEDS, requests, generations)
    assert [(one.id, one.index, one.text) for one in kept] == [("bach#1", 1, "A.")]
    assert dropped == {"unfinished": 1}
    kept, dropped = collect(SEEDS, requests, generations, unfinished=True)
    assert [one.text for one in kept] == ["He was born in", "A."] and not dropped
    generations = answered(
        requests[0], "J. S. Bach wrote fugues. He was born in", "He was", finish="length"
    )
    kept, dropped = collect(SEEDS, requests, generations, whole_sentences=True)
    assert [one.text for one in kept] == ["J. S. Bach wrote fugues."]
    assert dropped == {"empty": 1}
    generations = answered(requests[0], "Bach, then.\n\nAnd", "Bach. Yes", finish="stop")
    kept, _ = collect(SEEDS, requests, generations, whole_sentences=True)
    assert [one.text for one in kept] == ["Bach, then.\n\nAnd", "Bach. Yes"]
    assert (kept[0].prompt, kept[0].topic) == (SEEDS[0].instruction, SEEDS[0].instruction)


def test_generations_that_do_not_fit_the_requests_are_errors():
    requests = list(response_requests(SEEDS[:1], "plain", samples=2, max_tokens=9))
    with pytest.raises(InputError, match="1 answers of 2"):
        collect(SEEDS, requests, answered(requests[0], "one"))
    with pytest.raises(InputError, match="not among the requests"):
        collect(SEEDS, [], answered(requests[0], "one"))
    with pytest.raises(InputError, match="'bach' is not among the instructions"):
        collect(SEEDS[1:], requests, answered(requests[0], "one", "two"))


INSTRUCTIONS = [
    instruction("a", "Who was Bach?", "human a"),
    instruction("b", "Bake.", "human b", "human b2"),
    instruction("c", "Who was Liszt?", "human c"),
    instruction("d", "Who was Weber?"),
]
OWN = {"a": ["own a1", "own a2", "own a3"], "b": ["own b"], "d": ["own d"]}
FACTS = {"a", "c", "d"}


def built(name, **changes):
    settings = {"form": "plain", "seed": 1, "passes": 1, **changes}
    result = build_sft(name, INSTRUCTIONS, OWN, FACTS, **settings)
    return result, {row["reason"]: row["n"] for row in result.dropped}


def said(result):
    return {(one.instruction, one.response_from) for one in result.rows}


def test_the_sets_are_siblings_of_the_same_parts():
    sft, dropped = built("sft")
    assert said(sft) == {("a", "human"), ("b", "human"), ("c", "human")}
    assert dropped == {"no human response": 1}
    fact, dropped = built("sft-fact")
    assert said(fact) == {("a", "own"), ("b", "own"), ("d", "own")}
    assert dropped == {"no own answer": 1}
    star, dropped = built("sft-star")
    assert said(star) == {("a", "own"), ("b", "human"), ("d", "own")}
    assert dropped == {"no own answer": 1}
    assert star.dropped[0]["item"] == "sft-star" and star.dropped[0]["stage"] == "flame"
    rag, dropped = built("sft-rag")
    assert said(rag) == {("a", "retrieved"), ("b", "human"), ("d", "retrieved")}
    assert dropped == {"no retrieved answer": 1}
    assert [one.prompt for one in rag.rows] == [one.prompt for one in star.rows]


def test_every_pass_holds_each_instruction_once_and_its_responses_take_turns():
    star, _ = built("sft-star", passes=6)
    assert len(star.rows) == len({one.id for one in star.rows}) == 18
    for start in range(0, 18, 3):
        assert {one.instruction for one in star.rows[start : start + 3]} == {"a", "b", "d"}
    of = {
        name: [one.completion for one in star.rows if one.instruction == name]
        for name in ("a", "b", "d")
    }
    assert Counter(of["a"]) == {"own a1": 2, "own a2": 2, "own a3": 2}
    assert set(of["a"][:3]) == set(OWN["a"])
    assert Counter(of["b"]) == {"human b": 3, "human b2": 3}
    assert of["d"] == ["own d"] * 6


def test_the_order_of_instructions_does_not_matter_and_the_seed_does():
    first, _ = built("sft-star", passes=4)
    again = build_sft("sft-star", INSTRUCTIONS[::-1], OWN, FACTS, form="plain", seed=1, passes=4)
    assert again.rows == first.rows
    assert built("sft-star", passes=4, seed=2)[0].rows != first.rows


def test_the_two_forms_of_an_example():
    plain = built("sft")[0].rows[0]
    chat = built("sft", form="chat")[0].rows[0]
    assert plain.id == chat.id
    assert plain.prompt == f"### Instruction:\n{chat.prompt[0].content}\n\n### Response:\n"
    assert [chat.prompt[0].role, chat.completion[0].role] == ["user", "assistant"]
    assert chat.completion[0].content == plain.completion


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.text("xyz", min_size=1), max_size=4))
)
def test_no_response_is_ever_of_another_instruction(own):
    asked = [instruction(name, "", f"human {name}") for name in "abcdefgh"]
    result = build_sft("sft-star", asked, own, set("abcd"), form="plain", seed=0, passes=3)
    for one in result.rows:
        allowed = own.get(one.instruction, []) if one.instruction in "abcd" else None
        assert one.completion in (allowed or [f"human {one.instruction}"])
        assert one.response_from == ("own" if one.instruction in "abcd" else "human")
    left_out = sum(row["n"] for row in result.dropped)
    assert left_out == sum(not own.get(name) for name in "abcd")
    assert len(result.rows) == 3 * (8 - left_out)
