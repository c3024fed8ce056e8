"""From sources of instructions to one file of prompts, and new instructions from old ones."""

import json

import pytest
from flame_data import instruction
from flame_stages import FACTS, generated
from plumbline.config.instructions import InstructionSource
from plumbline.data.entities import subject_prompts, templates_for
from plumbline.data.instruction_sets import Prompt, check_tuned, gather
from plumbline.data.instructions import (
    PERSON_TEMPLATES,
    PLACE_TEMPLATES,
    THING_TEMPLATES,
    load_instructions,
)
from plumbline.data.select import order
from plumbline.records import Request
from plumbline.storage.files import InputError, read_json, read_unique_rows
from programs import program


def test_subjects_get_the_prompts_of_their_kind():
    prompts, left_out = subject_prompts(
        FACTS, split="test", domains=["ood", "id"], limit=None, seed=1
    )
    found = {one.topic: (one.id, one.domain, one.relation) for one in prompts}
    assert found == {
        "Norway": ("entity/Norway", "id", "country_capital"),
        "Chile": ("entity/Chile", "id", "country_capital"),
        "Kenya": ("entity/Kenya", "id", "country_capital"),
        "Peru": ("entity/Peru", "id", "country_capital"),
        "Ada Lovelace": ("entity/Ada Lovelace", "id", "person_country"),
        "Njord": ("entity/Njord", "ood", "deity_mythology"),
    }
    assert +left_out == {("ood", "also_in_domain"): 1}  # Egypt is trained on
    for one in prompts:
        wordings = [t.replace("[X]", one.topic) for t in templates_for(one.relation)]
        assert one.instruction in wordings and one.fact_based
    kinds = [templates_for(name) for name in ("person_country", "airport_city", "P17")]
    assert kinds == [PERSON_TEMPLATES, PLACE_TEMPLATES, THING_TEMPLATES]


def test_the_limit_of_subjects_is_drawn_in_each_domain():
    every, _ = subject_prompts(FACTS, split="test", domains=["id", "ood"], limit=None, seed=3)
    some, left_out = subject_prompts(FACTS[::-1], split="test", domains=["id"], limit=2, seed=3)
    wanted = sorted((o.id for o in every if o.domain == "id"), key=lambda n: order(n, 3))[:2]
    assert {one.id for one in some} == set(wanted)
    assert all(one in every for one in some)
    assert +left_out == {("id", "over_limit"): 3}
    with pytest.raises(InputError, match="no fact has a dev question of the domain id"):
        subject_prompts(FACTS, split="dev", domains=["id"], limit=2, seed=3)


def test_some_relations_subjects_alone_can_be_asked_about():
    how = {"split": "test", "domains": ["id", "ood"], "limit": None, "seed": 1}
    prompts, _ = subject_prompts(FACTS, **how, relations=["person_country", "deity_mythology"])
    assert [one.topic for one in prompts] == ["Ada Lovelace", "Njord"]
    with pytest.raises(
        InputError, match=r"person_contry is not a .* Did you mean person_country\?"
    ):
        subject_prompts(FACTS, **how, relations=["person_contry"])


def test_what_is_only_evaluated_cannot_be_tuned_on():
    how = {"split": "train", "limit": None, "seed": 1, "key": "apeft.prompts"}
    message = (
        r"^apeft\.prompts: relations: deity_mythology is only evaluated \(out of domain\), so nothing "
        r"is tuned on it\. Relations to tune on: country_capital, "
    )
    asked = ["country_capital", "deity_mythology"]
    with pytest.raises(InputError, match=message):
        subject_prompts(FACTS, **how, domains=["id"], relations=asked)


def test_in_domain_is_what_every_method_is_tuned_on():
    sources = [InstructionSource(format="entities")]
    rows, _ = gather(sources, [], FACTS, split="test", domains=["id", "ood"])
    both = ["country_capital", "person_country"]
    check_tuned(rows, {}, "long_form")
    check_tuned(rows, {"flame.prompts": both}, "long_form")
    with pytest.raises(InputError) as caught:
        check_tuned(rows, {"flame.prompts": both, "apeft.prompts": both[:1]}, "long_form")
    assert str(caught.value) == (
        "long_form.relations: person_country would be called in-domain, but apeft.prompts asks "
        "about country_capital alone. Name the same in-domain relations in both."
    )


def test_a_source_is_parted_into_train_and_test_whatever_the_limit():
    def names(part):
        source = InstructionSource(format="embedded", part=part)
        rows, dropped = gather([source], [], [], split="train", domains=["id"])
        return {row.id for row in rows}, {row["reason"]: row["n"] for row in dropped}

    (every, _), (train, apart), (test, _) = names("all"), names("train"), names("test")
    assert train | test == every and not train & test
    assert apart == {"other_part": len(test)}
    assert 0.1 < len(test) / len(every) < 0.3


def test_a_set_of_instructions_from_several_sources(files, monkeypatch):
    own = [
        instruction("mine", "Write  a poem.", "Roses", domain="botany"),
        instruction("twin", "write a poem.", "Violets"),
        instruction("more", "Tell me a joke.", "No."),
    ]
    files("source").mkdir()
    files("source/own.jsonl", own)
    marker = files("source/source.json", {"source": "file:own.jsonl", "path": "own.jsonl"})
    other = files("other.jsonl", [instruction("other", "TELL me a joke.", "No.", "Maybe.")])
    second = files("source/2.json", {"source": "file:other.jsonl", "path": str(other)})
    sources = [
        {"format": "entities", "limit": 1, "seed": 5},
        {"format": "rows", "source": "file:own.jsonl"},
        {"format": "embedded", "limit": 2, "seed": 7},
        {"format": "rows", "source": "file:other.jsonl"},
    ]
    program(
        monkeypatch, "build_instructions", sources=json.dumps(sources), markers=[marker, second],
        facts=files("facts.jsonl", FACTS), entities_split="test", entities_domains="id,ood",
        name="prompts", out=files("out.jsonl"), dropped=files("dropped.json"),
    )  # fmt: skip
    rows = read_unique_rows(files("out.jsonl"), Prompt)
    seeds, _ = load_instructions("embedded")
    drawn = sorted(seeds, key=lambda row: order(row.id, 7))[:2]
    assert [row.id for row in rows[2:4]] == ["mine", "more"]
    assert [row.id for row in rows[4:]] == [one.id for one in seeds if one in drawn]
    assert [(row.domain, row.relation) for row in rows[:2]] == [
        ("id", rows[0].relation), ("ood", "deity_mythology"),
    ]  # fmt: skip
    assert {row.domain for row in rows[2:]} == {"ood"}
    assert (rows[2].responses, rows[3].responses) == (["Roses", "Violets"], ["No.", "Maybe."])
    dropped = read_json(files("dropped.json"))
    assert (dropped["name"], dropped["kept"]) == ("prompts", 6)
    assert {(r["stage"], r["item"], r["reason"]): r["n"] for r in dropped["dropped"]} == {
        ("instructions", "embedded", "over_limit"): len(seeds) - 2,
        ("instructions", "entities id", "over_limit"): 4,
        ("instructions", "entities ood", "also_in_domain"): 1,
        ("instructions", "rows", "merged"): 2,
    }


@pytest.mark.parametrize(
    ("rows", "markers", "message"),
    [
        ([instruction("x", "One.")], 1, "2 of the sources have a file, but 1 were given"),
        ([instruction("x", "One.")], 2, None),
        ([instruction("x", "Two.")], 2, "'x' is the id of two instructions"),
    ],
)
def test_sources_that_do_not_go_together(files, monkeypatch, rows, markers, message):
    first, second = files("a.jsonl", [instruction("x", "One.")]), files("b.jsonl", rows)
    given = [
        files(f"{path.name}.json", {"source": "file:x", "path": str(path)})
        for path in (first, second)
    ]
    arguments = {
        "sources": json.dumps([{"format": "rows", "source": "file:x"}] * 2),
        "markers": given[:markers], "facts": files("facts.jsonl", FACTS), "entities_split": "train",
        "entities_domains": "id", "name": "n", "out": files("out"), "dropped": files("dropped"),
    }  # fmt: skip
    if message is None:
        program(monkeypatch, "build_instructions", **arguments)
        assert len(read_unique_rows(files("out"), Prompt)) == 1
        return
    with pytest.raises(InputError, match=message):
        program(monkeypatch, "build_instructions", **arguments)


def test_new_instructions_become_a_source_of_prompts(files, monkeypatch, caplog):
    seeds = [instruction(f"s{n}", f"Describe thing {n} of {n * 7}.", "So.") for n in range(8)]
    options = {"form": "plain", "seed": 1, "requests": files("requests.jsonl"), "wanted": 3}
    options["instructions"] = files("seeds.jsonl", seeds)
    program(monkeypatch, "write_augmentation", **options)
    requests = read_unique_rows(files("requests.jsonl"), Request)
    assert len(requests) == 2 and requests[0].prompt.endswith("\n9.")
    evaluated = files("evaluated.jsonl", [instruction("e", "Plan a birthday party for a child.")])
    said = [
        " Name four rivers of Asia.\n10. Plan a birthday party for a child.\n11. Sing!",
        " Who built the Eiffel Tower?\n10. Explain how bees make honey.\n11. What is a fugue?",
    ]
    texts = dict(zip((one.id for one in requests), said, strict=True))
    files("generations.jsonl", generated(requests, texts))
    options = {
        "known": [files("seeds.jsonl"), evaluated], "requests": files("requests.jsonl"),
        "generations": files("generations.jsonl"), "augmented": files("new.jsonl"),
        "dropped": files("dropped.json"),
    }  # fmt: skip
    program(monkeypatch, "collect_augmented", **options, wanted=3)
    found, _ = load_instructions("rows", files("new.jsonl"))
    assert [one.instruction for one in found] == [
        "Name four rivers of Asia.", "Who built the Eiffel Tower?", "Explain how bees make honey.",
    ]  # fmt: skip
    dropped = read_json(files("dropped.json"))
    assert (dropped["name"], dropped["kept"]) == ("augmented", 3)
    assert {row["reason"]: row["n"] for row in dropped["dropped"]} == {
        "near-duplicate": 1, "too short": 1, "more than wanted": 1,
    }  # fmt: skip

    program(monkeypatch, "collect_augmented", **options, wanted=9)
    assert "only 4 of 9 new instructions were found" in caplog.text
    files("generations.jsonl", generated(requests, dict.fromkeys(texts, " Sing!")))
    with pytest.raises(InputError, match=r"no new instruction .* \(dropped: 2 too short\)"):
        program(monkeypatch, "collect_augmented", **options, wanted=3)
