"""The programs of FLAME and of long-form evaluation, from arguments to written rows."""

import csv
import json
from collections import Counter

import pytest
from flame_data import answered, instruction
from plumbline.claims.records import Claim, Splitting, Verdict
from plumbline.config.instructions import InstructionSource
from plumbline.data.entities import subject_prompts, templates_for
from plumbline.data.instruction_sets import Prompt, gather, read_instructions
from plumbline.data.instructions import (
    PERSON_TEMPLATES,
    PLACE_TEMPLATES,
    THING_TEMPLATES,
    load_instructions,
)
from plumbline.data.select import order
from plumbline.evaluation.statistics import share
from plumbline.files import InputError, read_json, read_rows, read_unique_rows, write_rows
from plumbline.methods.flame.fact_based import FactBased, classify_requests
from plumbline.methods.flame.own_answers import own_answer_requests
from plumbline.records import Category, Example, Item, Message, Pair, Question, Request
from plumbline.responses.drawn import Response
from plumbline.responses.scores import Factuality
from plumbline.verification.passages import Passage
from programs import program
from slick_data import annotation


def question(relation, subject, answer, split="test", domain="id"):
    return Question(
        id=f"{relation}/{subject}", relation=relation, subject=subject, question="What?",
        answers=[answer], split=split, domain=domain,
    )  # fmt: skip


CAPITALS = {"Norway": "Oslo", "Chile": "Santiago", "Kenya": "Nairobi", "Peru": "Lima"}
FACTS = [
    *(question("country_capital", name, city) for name, city in CAPITALS.items()),
    question("country_capital", "Egypt", "Cairo", split="train"),
    question("person_profession", "Ada Lovelace", "mathematician"),
    question("person_country", "Ada Lovelace", "England"),
    question("country_continent", "Egypt", "Africa", domain="ood"),
    question("deity_mythology", "Njord", "Norse mythology", domain="ood"),
]


@pytest.fixture
def files(tmp_path):
    """Paths by name below a temporary folder, written with rows or with a JSON value."""

    class Files:
        def __call__(self, name, content=None):
            path = tmp_path / name
            if isinstance(content, dict):
                path.write_text(json.dumps(content), encoding="utf-8")
            elif content is not None:
                write_rows(path, content)
            return path

    return Files()


def decision(name, fact_based, **more):
    return FactBased(id=name, fact_based=fact_based, decided_by="text", text="", **more)


def response(name, index=0, text="So it is."):
    return Response(
        id=f"{name}#{index}", prompt=f"Say {name}.", topic=name, text=text, instruction=name,
        index=index,
    )  # fmt: skip


def generated(requests, texts):
    """Generations of all requests; texts by request id, one or a list of several each."""
    found = []
    for request in requests:
        said = texts[request.id]
        found += answered(request, *([said] if isinstance(said, str) else said))
    return found


def csv_rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# Instructions


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
    with pytest.raises(InputError, match=r"person_contry is no .* Did you mean person_country\?"):
        subject_prompts(FACTS, **how, relations=["person_contry"])


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


# Which ask for facts

ASKED = [
    Prompt(id="a", instruction="Who was Ada?", source="t", fact_based=True, responses=["A queen."]),
    Prompt(id="b", instruction="Sing a song.", source="t", fact_based=False, responses=["La."]),
    Prompt(id="c", instruction="Where is Peru?", source="t", responses=["In the Andes.", "South."]),
    Prompt(id="d", instruction="Add 2 and 3.", source="t", fact_based=False),
]


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_each_instruction_is_classified_once(files, monkeypatch, form):
    first, second = files("a.jsonl", ASKED[:3]), files("b.jsonl", ASKED[1:])
    program(
        monkeypatch, "write_fact_based", instructions=[first, second], form=form,
        requests=files("requests.jsonl"),
    )  # fmt: skip
    found = read_unique_rows(files("requests.jsonl"), Request)
    assert found == list(classify_requests(ASKED, form))


def test_the_same_id_for_two_instructions_is_an_error(files):
    changed = ASKED[1].model_copy(update={"instruction": "Hum."})
    paths = [files("a.jsonl", ASKED), files("b.jsonl", [changed])]
    with pytest.raises(InputError, match=r"b\.jsonl: 'b' is another instruction"):
        read_instructions(paths)


def decide(files, monkeypatch, said, checkpoint, form="plain"):
    requests = list(classify_requests(ASKED, form))
    texts = {f"{name}/flame_fact_based": text for name, text in said.items()}
    program(
        monkeypatch, "decide_fact_based", instructions=[files("a.jsonl", ASKED)],
        requests=files("requests.jsonl", requests), form=form, checkpoint=checkpoint,
        generations=files("generations.jsonl", generated(requests, texts)),
        scoring='{"dtype": "float32"}', device="cpu", threads=1,
        decisions=files("decisions.jsonl"),
    )  # fmt: skip
    found = read_unique_rows(files("decisions.jsonl"), FactBased)
    return {one.id: one for one in found}, requests


def test_what_the_text_says_needs_no_model(files, monkeypatch, caplog):
    caplog.set_level("INFO")
    said = {"a": " Yes", "b": " Yes.", "c": " No", "d": "no"}
    found, _ = decide(files, monkeypatch, said, files("nowhere"))
    assert {name: (one.fact_based, one.decided_by) for name, one in found.items()} == {
        "a": (True, "text"), "b": (True, "text"), "c": (False, "text"), "d": (False, "text"),
    }  # fmt: skip
    assert "2 of 3 labelled ones decided as labelled" in caplog.text
    assert [getattr(found[name], "label", None) for name in "abcd"] == [True, False, None, False]


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_what_the_text_does_not_say_the_logits_do(files, monkeypatch, tmp_path, form):
    """As computed by hand: one forward pass a prompt, the next token's log-probabilities."""
    import torch
    from plumbline import checkpoints
    from plumbline.models import import_model
    from tiny import tiny_model

    original = tiny_model(tmp_path / "original", [" Yes", " No", "Yes", "No"])
    # The prompt with its ten examples is longer than the tiny model's usual context.
    config = read_json(original / "config.json")
    (original / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 4096}))
    base = tmp_path / "base"
    import_model(original, base, "base", dtype="float32", source="file:tiny")
    said = {"a": "Yes or No", "b": "No", "c": "perhaps", "d": ""}
    found, requests = decide(files, monkeypatch, said, base, form)
    assert (found["b"].fact_based, found["b"].decided_by) == (False, "text")

    model, tokenizer = checkpoints.load_model(base, "float32"), checkpoints.load_tokenizer(base)
    for request in requests:
        if request.instruction == "b":
            continue
        if form == "plain":
            ids, space = tokenizer(request.prompt)["input_ids"], " "
        else:
            turns = [message.model_dump() for message in request.messages]
            text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
            ids, space = tokenizer(text, add_special_tokens=False)["input_ids"], ""
        sums = []
        for word in ("Yes", "No"):
            tokens = tokenizer(space + word, add_special_tokens=False)["input_ids"]
            with torch.no_grad():
                logits = model(torch.tensor([ids + tokens])).logits[0].log_softmax(-1)
            places = range(len(ids) - 1, len(ids) + len(tokens) - 1)
            sums.append(
                sum(float(logits[at, token]) for at, token in zip(places, tokens, strict=True))
            )
        one = found[request.instruction]
        assert one.decided_by == "logits"
        assert one.fact_based == (sums[0] > sums[1])
        assert abs(sums[0] - sums[1]) > 1e-4


# The first stage

DECISIONS = [decision("a", True), decision("b", False), decision("c", True), decision("d", False)]


@pytest.fixture
def first_stage(files):
    files("instructions.jsonl", ASKED)
    files("decisions.jsonl", DECISIONS)
    return files


@pytest.mark.parametrize(("every", "ids"), [(0, "ac"), (1, "abcd")])
def test_own_answers_are_asked_for_where_they_are_needed(first_stage, monkeypatch, every, ids):
    files = first_stage
    program(
        monkeypatch, "write_own_answers", instructions=files("instructions.jsonl"),
        decisions=files("decisions.jsonl"), all=every, shots=2, samples=3, temperature=0.6,
        top_p=0.8, max_tokens=50, requests=files("requests.jsonl"),
    )  # fmt: skip
    found = read_unique_rows(files("requests.jsonl"), Request)
    wanted = own_answer_requests(
        [one for one in ASKED if one.id in ids], ASKED, max_tokens=50, shots=2, samples=3,
        temperature=0.6, top_p=0.8,
    )  # fmt: skip
    assert found == list(wanted)
    assert {request.sampling.n for request in found} == {3}


def build_sft(files, monkeypatch, name, **more):
    program(
        monkeypatch, "build_flame_sft", name=f"flame.{name}", set=name,
        instructions=files("instructions.jsonl"), decisions=files("decisions.jsonl"),
        form="plain", seed=4, passes=1, examples=files("examples.jsonl"),
        composition=files("composition.json"), **more,
    )  # fmt: skip
    examples = read_unique_rows(files("examples.jsonl"), Example)
    found = {one.instruction: (one.completion, one.response_from) for one in examples}
    return found, read_json(files("composition.json"))


def test_the_first_stages_files(first_stage, monkeypatch):
    files = first_stage
    human, composition = build_sft(files, monkeypatch, "sft")
    assert human.pop("c")[0] in ASKED[2].responses
    assert human == {"a": ("A queen.", "human"), "b": ("La.", "human")}
    lost = {"stage": "flame", "item": "sft", "reason": "no human response", "n": 1}
    assert composition == {
        "name": "flame.sft", "kept": 3, "human": 3, "own": 0, "retrieved": 0, "fact_based": 2,
        "dropped": [lost],
    }  # fmt: skip

    with pytest.raises(InputError, match="set sft-star: give --own-requests"):
        build_sft(files, monkeypatch, "sft-star")
    requests = list(own_answer_requests([ASKED[0], ASKED[2]], ASKED, max_tokens=9, shots=2))
    texts = dict(zip((one.id for one in requests), (["She was."] * 10, [""] * 10), strict=True))
    own = {
        "own_requests": files("requests.jsonl", requests),
        "own_generations": files("generations.jsonl", generated(requests, texts)),
    }
    star, composition = build_sft(files, monkeypatch, "sft-star", **own)
    assert star == {"a": ("She was.", "own"), "b": ("La.", "human")}
    assert (composition["human"], composition["own"]) == (1, 1)
    assert {(row["item"], row["reason"]): row["n"] for row in composition["dropped"]} == {
        ("own answers", "repetition"): 9, ("own answers", "empty"): 10,
        ("sft-star", "no own answer"): 1, ("sft-star", "no human response"): 1,
    }  # fmt: skip


def knowing(files, subject, answer, percent=0):
    """The knowledge filter's options where one fact is Unknown."""
    asked = question("country_capital", subject, answer, split="train")
    return {
        "annotated_questions": files("asked.jsonl", [asked]),
        "annotations": files("annotations.jsonl", [annotation(asked, Category.UNKNOWN)]),
        "keep_unknown": percent,
    }


def test_the_first_stage_without_unknown(first_stage, monkeypatch):
    whole, before = build_sft(first_stage, monkeypatch, "sft")
    # The subject stands in the instruction, the answer in the response.
    known = knowing(first_stage, "Ada", "queen")
    found, composition = build_sft(first_stage, monkeypatch, "sft", **known)
    assert found == {name: one for name, one in whole.items() if name != "a"}
    assert (composition["kept"], composition["human"], composition["fact_based"]) == (2, 2, 1)
    assert composition["knowledge"] == {
        "known": 0, "unknown": 1, "not_annotated": 2, "unknown_dropped": 1,
    }  # fmt: skip
    assert composition["dropped"] == [
        {"stage": "flame", "item": "sft examples", "reason": "Unknown to the base", "n": 1},
        *before["dropped"],
    ]


def test_answers_with_passages_as_teachers(first_stage, monkeypatch):
    """From facts to examples: what is asked shows a passage, what is trained on does not."""
    files = first_stage
    facts = [
        question("country_capital", "Peru", "Lima", split="train"),
        question("country_capital", "Chile", "Santiago", split="test"),
    ]
    options = {
        "instructions": files("instructions.jsonl"), "decisions": files("decisions.jsonl"), "k": 2,
        "shots": 1, "samples": 2, "temperature": 0.6, "top_p": 0.8, "max_tokens": 50,
        "facts": files("facts.jsonl", facts), "requests": files("requests.jsonl"),
    }  # fmt: skip
    program(monkeypatch, "write_rag_answers", **options, passages='{"format": "facts"}')
    (request,) = read_unique_rows(files("requests.jsonl"), Request)  # nothing speaks of Ada
    assert (request.instruction, request.sampling.n) == ("c", 2)
    assert request.prompt.endswith(
        "### Instruction:\nPassages:\n- Peru: The capital of Peru is Lima.\n\nWhere is Peru?\n\n"
        "### Response:\n"
    )
    own = {
        "own_requests": files("requests.jsonl"),
        "own_generations": files("generations.jsonl", answered(request, "Around Lima.", "")),
    }
    rag, composition = build_sft(files, monkeypatch, "sft-rag", **own)
    assert rag == {"b": ("La.", "human"), "c": ("Around Lima.", "retrieved")}
    (row,) = (one for one in read_rows(files("examples.jsonl"), Example) if one.instruction == "c")
    assert row.prompt == "### Instruction:\nWhere is Peru?\n\n### Response:\n"
    assert (composition["human"], composition["own"], composition["retrieved"]) == (1, 0, 1)
    assert {(row["item"], row["reason"]): row["n"] for row in composition["dropped"]} == {
        ("own answers", "empty"): 1, ("sft-rag", "no human response"): 1,
        ("sft-rag", "no retrieved answer"): 1,
    }  # fmt: skip

    # Passages that were fetched are found by their marker.
    pages = files("pages.jsonl", [Passage(id="ada", title="Ada", text="Ada wrote programs.")])
    marker = files("source.json", {"source": "file:pages.jsonl", "path": pages.name})
    rows = '{"format": "rows", "source": "file:pages.jsonl"}'
    program(monkeypatch, "write_rag_answers", **options, passages=rows, marker=marker)
    (request,) = read_unique_rows(files("requests.jsonl"), Request)
    assert (request.instruction, request.passages) == ("a", ["ada#0"])


def test_an_instruction_without_a_decision_is_an_error(first_stage, monkeypatch):
    first_stage("decisions.jsonl", DECISIONS[:3])
    with pytest.raises(InputError, match="'d' has no decision"):
        build_sft(first_stage, monkeypatch, "sft")


# Responses, and what is made of them


def test_responses_from_requests_to_rows(files, monkeypatch):
    sets = [files("a.jsonl", ASKED[:2]), files("b.jsonl", ASKED[1:3])]
    options = {"instructions": sets, "form": "chat", "max_tokens": 9}
    options["requests"] = files("requests.jsonl")
    program(monkeypatch, "write_responses", **options, samples=2, temperature=0.5, top_p=0.9)
    requests = read_unique_rows(files("requests.jsonl"), Request)
    assert [one.instruction for one in requests] == ["a", "b", "c"]
    assert requests[0].messages == [Message(role="user", content="Who was Ada?")]
    how = requests[0].sampling
    assert (how.n, how.temperature, how.top_p, how.max_tokens) == (2, 0.5, 0.9, 9)

    generations = [
        *answered(requests[0], "Long ago", " there was ", finish="length"),
        *answered(requests[1], "La", "la"),
        *answered(requests[2], "", "Here."),
    ]
    options = {
        "instructions": sets, "requests": files("requests.jsonl"), "name": "x/responses",
        "generations": files("generations.jsonl", generations),
        "responses": files("responses.jsonl"), "dropped": files("dropped.json"),
    }  # fmt: skip
    program(monkeypatch, "collect_responses", **options)
    found = read_unique_rows(files("responses.jsonl"), Response)
    assert [(one.id, one.topic, one.text) for one in found] == [
        ("b#0", "Sing a song.", "La"), ("b#1", "Sing a song.", "la"),
        ("c#1", "Where is Peru?", "Here."),
    ]  # fmt: skip
    lost = {"stage": "flame", "item": "responses"}
    assert read_json(files("dropped.json")) == {
        "name": "x/responses",
        "kept": 3,
        "dropped": [{**lost, "reason": "empty", "n": 1}, {**lost, "reason": "unfinished", "n": 2}],
    }
    program(monkeypatch, "collect_responses", **options, unfinished=True)
    assert [one.id for one in read_rows(files("responses.jsonl"), Response)][:2] == ["a#0", "a#1"]


def test_greedy_responses_are_one_each(files, monkeypatch):
    program(
        monkeypatch, "write_responses", instructions=[files("a.jsonl", ASKED)], form="plain",
        samples=4, temperature=0, top_p=0.9, max_tokens=9, requests=files("requests.jsonl"),
    )  # fmt: skip
    how = {one.sampling for one in read_rows(files("requests.jsonl"), Request)}
    assert [(one.n, one.temperature, one.top_p) for one in how] == [(1, 0, 1)]


SAID = [
    response("a", 0, "Ada was born in London and died in Rome. She knew Bob."),
    response("a", 1, "I'm sorry, I cannot help with that."),
    response("b", 0, "La la la."),
]
SPLIT = {
    "a#0": ["Ada was born in London.", "Ada died in Rome.", "Ada knew Bob."],
    "b#0": ["La la la."],
}


def named(responses):
    """The responses with a name as their topic, as prompts about entities have it."""
    return [one.model_copy(update={"topic": "Ada"}) for one in responses]


@pytest.mark.parametrize(("decided", "names"), [(True, ["a#0", "a#1"]), (False, None)])
def test_claims_by_rule(files, monkeypatch, decided, names):
    only = {"decisions": files("decisions.jsonl", DECISIONS)} if decided else {}
    program(
        monkeypatch, "split_claims", responses=files("responses.jsonl", named(SAID)),
        claims=files("claims.jsonl"), splittings=files("splittings.jsonl"), **only,
    )  # fmt: skip
    names = names or ["a#0", "a#1", "b#0"]
    splittings = list(read_rows(files("splittings.jsonl"), Splitting))
    assert [one.response for one in splittings] == names
    assert [one.state for one in splittings] == ["ok", "refused", "ok"][: len(names)]
    found = [(one.response, one.text) for one in read_rows(files("claims.jsonl"), Claim)]
    assert found == [(name, text) for name in names for text in SPLIT.get(name, [])]


def test_claims_by_a_model(files, monkeypatch):
    options = {
        "responses": files("responses.jsonl", named(SAID)),
        "decisions": files("decisions.jsonl", DECISIONS),
    }
    program(
        monkeypatch, "write_claim_requests", **options, max_tokens=33,
        requests=files("requests.jsonl"),
    )  # fmt: skip
    requests = read_unique_rows(files("requests.jsonl"), Request)
    assert [(one.response, one.sentence) for one in requests] == [("a#0", 0), ("a#0", 1)]
    assert requests[0].sampling.max_tokens == 33
    texts = {requests[0].id: "- Ada lived.\n- Ada died.", requests[1].id: "Well."}
    program(
        monkeypatch, "split_claims", **options, claims=files("claims.jsonl"),
        generations=files("generations.jsonl", generated(requests, texts)),
        splittings=files("splittings.jsonl"),
    )  # fmt: skip
    claims = [one.text for one in read_rows(files("claims.jsonl"), Claim)]
    assert claims == ["Ada lived.", "Ada died."]
    splitting, refused = read_rows(files("splittings.jsonl"), Splitting)
    assert (splitting.unparsable, splitting.claims, refused.state) == (1, 2, "refused")


# The second stage


def verified(name, *verdicts):
    words = {"s": "supported", "r": "refuted", "u": "unverifiable"}
    return [
        Verdict(claim=f"{name}.{i}", response=name, verdict=words[one], verifier="table")
        for i, one in enumerate(verdicts)
    ]


@pytest.fixture
def second_stage(files, monkeypatch):
    """Two instructions with two responses each; a asks for facts. One judgement cannot be read."""
    rows = [
        response("a", 0, "First."), response("a", 1, "Second."),
        response("b", 0, "Third."), response("b", 1, "Fourth."),
    ]  # fmt: skip
    files("responses.jsonl", rows)
    program(
        monkeypatch, "write_judgements", responses=files("responses.jsonl"), form="plain",
        samples=2, temperature=0.7, top_p=0.9, max_tokens=44, requests=files("judge.jsonl"),
    )  # fmt: skip
    requests = read_unique_rows(files("judge.jsonl"), Request)
    assert [(one.response, one.sampling.n) for one in requests] == [
        ("a#0", 2), ("a#1", 2), ("b#0", 2), ("b#1", 2),
    ]  # fmt: skip
    said = {
        "a#0": ["Score: 4", "Score: 3"], "a#1": ["Score: 4", "Fine."], "b#0": ["Score: 1"] * 2,
        "b#1": ["Score: 2"] * 2,
    }  # fmt: skip
    texts = {one.id: said[one.response] for one in requests}
    files("judged.jsonl", generated(requests, texts))
    files("decisions.jsonl", DECISIONS)
    files(
        "splittings.jsonl",
        [
            Splitting(response="a#0", state="ok", claims=2),
            Splitting(response="a#1", state="ok", claims=4),
        ],
    )
    files("verdicts.jsonl", [*verified("a#0", "s", "s"), *verified("a#1", "s", "r", "u", "u")])
    return files


def build_pairs(files, monkeypatch, name="dpo-star", steps=3, **factual):
    factual = factual or {"verdicts": files("verdicts.jsonl")}
    program(
        monkeypatch, "build_flame_pairs", name=f"flame.sft.{name}", set=name,
        responses=files("responses.jsonl"), judge_requests=files("judge.jsonl"),
        judge_generations=files("judged.jsonl"), splittings=files("splittings.jsonl"),
        decisions=files("decisions.jsonl"), batch=2, steps=steps, seed=1, form="plain",
        pairs=files("pairs.jsonl"), composition=files("composition.json"), **factual,
    )  # fmt: skip
    return read_unique_rows(files("pairs.jsonl"), Pair), read_json(files("composition.json"))


def test_the_second_stages_file_draws_evenly_and_tells_what_it_is_made_of(
    second_stage, monkeypatch
):
    rows, composition = build_pairs(second_stage, monkeypatch)
    pairs = {(one.source, one.chosen, one.rejected) for one in rows}
    assert pairs == {
        ("helpful", "Second.", "First."),  # 4 against 3.5
        ("helpful", "Fourth.", "Third."),
        ("factual", "First.", "Second."),  # 1 against 1/4, and 0.5 is within the gate
    }
    for at in (0, 2, 4):
        assert Counter(one.source for one in rows[at : at + 2]) == {"helpful": 1, "factual": 1}
    assert composition == {
        "name": "flame.sft.dpo-star",
        "kept": 3,
        "responses": 4,
        "responses_without_judgement": 0,
        "judgements": {"parsed": 7, "unparsed": 1},
        "pairs": {"factual": 1, "helpful": 2},
        "training_rows": 6,
        "helpful_mean": pytest.approx((3.5 + 4 + 1 + 2) / 4),
        "helpful_n": 4,
        "factual_mean": 0.625,
        "factual_n": 2,
        "dropped": [],
    }


def test_the_second_stage_without_unknown(second_stage, monkeypatch):
    """Whatever the source, a pair whose chosen response states the fact is out."""
    known = knowing(second_stage, "Say a", "First")
    known |= {"verdicts": second_stage("verdicts.jsonl")}
    rows, composition = build_pairs(second_stage, monkeypatch, **known)
    assert {(one.source, one.chosen) for one in rows} == {
        ("helpful", "Second."), ("helpful", "Fourth."),
    }  # fmt: skip
    # The ratio of sources is kept where both are left, and every row is still there.
    assert len(rows) == 6 and composition["pairs"] == {"factual": 0, "helpful": 2}
    assert composition["knowledge"]["unknown_dropped"] == 1
    assert composition["dropped"] == [
        {"stage": "flame", "item": "dpo-star: pairs", "reason": "Unknown to the base", "n": 1}
    ]


def test_what_is_lost_on_the_way_to_pairs_is_counted(second_stage, monkeypatch):
    files = second_stage
    requests = read_unique_rows(files("judge.jsonl"), Request)
    said = {"a#0": "Score: 5", "a#1": "Score: 4", "b#0": "No.", "b#1": "Score: 2"}
    texts = {one.id: [said[one.response]] * 2 for one in requests}
    files("judged.jsonl", generated(requests, texts))
    rows, composition = build_pairs(files, monkeypatch, "dpo", steps=1)
    assert [(one.chosen, one.rejected) for one in rows] == [("First.", "Second.")] * 2
    assert composition["responses_without_judgement"] == 1
    assert composition["judgements"] == {"parsed": 6, "unparsed": 2}
    assert {(row["item"], row["reason"]): row["n"] for row in composition["dropped"]} == {
        ("dpo: helpful responses", "no score"): 1,
        ("dpo: helpful pairs", "fewer than two scored responses"): 1,
    }
    with pytest.raises(InputError, match="no factual pair is left"):
        build_pairs(files, monkeypatch, "dpo-fact")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdicts.jsonl": verified("a#0", "s", "s")}, r"a#1 has 4 claim\(s\) and 0 verdict"),
        (
            {"splittings.jsonl": [Splitting(response="a#0", state="ok", claims=2)]},
            "a#1 was not spl",
        ),
        ({"responses.jsonl": [response("a", 0)]}, "response a#1 was judged, but should not have"),
        ({"responses.jsonl": [response("z", 0)]}, "'z' has no decision"),
    ],
)
def test_files_of_different_runs_are_told_apart(second_stage, monkeypatch, change, message):
    for name, rows in change.items():
        second_stage(name, rows)
    with pytest.raises(InputError, match=message):
        build_pairs(second_stage, monkeypatch)


def test_facttune_by_confidence_from_claims_to_pairs(second_stage, monkeypatch):
    """a#0 claims two things, of one of which nothing is asked; a#1 claims four."""
    files = second_stage
    names = [("a#0", 0), ("a#0", 1), *(("a#1", n) for n in range(4))]
    claims = [
        Claim(id=f"{name}.{n}", response=name, topic="Ada", sentence=0, text=f"Claim {n}.")
        for name, n in names
    ]
    files("claims.jsonl", claims)
    program(
        monkeypatch, "write_facttune_questions", claims=files("claims.jsonl"),
        requests=files("questions.jsonl"),
    )  # fmt: skip
    asked = read_unique_rows(files("questions.jsonl"), Request)
    assert [one.claim for one in asked] == [one.id for one in claims]
    texts = {one.id: f" What of {one.claim}?" for one in asked} | {asked[1].id: " Ada did."}
    program(
        monkeypatch, "write_facttune_answers", question_requests=files("questions.jsonl"),
        question_generations=files("asked.jsonl", generated(asked, texts)), name="x/mc",
        requests=files("answers.jsonl"), dropped=files("dropped.json"),
    )  # fmt: skip
    lost = {"stage": "flame", "item": "claims to ask about", "reason": "no question", "n": 1}
    assert read_json(files("dropped.json")) == {"name": "x/mc", "kept": 5, "dropped": [lost]}
    requests = read_unique_rows(files("answers.jsonl"), Request)
    how = {one.sampling for one in requests}
    assert [(one.n, one.temperature, one.top_p, one.max_tokens) for one in how] == [
        (20, 1, 0.9, 15)
    ]
    # The base is sure of a#0's one claim (3 of 4), and less of a#1's (a half of the time).
    says = {one.id: ["Rome"] * 10 + [f"x{n}" for n in range(10)] for one in requests}
    says[requests[0].id] = ["Rome"] * 15 + ["Bonn"] * 5
    files("answered.jsonl", generated(requests, says))
    program(
        monkeypatch, "measure_confidence", claims=files("claims.jsonl"),
        requests=files("answers.jsonl"), generations=files("answered.jsonl"),
        confidence=files("confidence.jsonl"),
    )  # fmt: skip
    measured = read_unique_rows(files("confidence.jsonl"), Factuality)
    assert [(one.id, one.score, one.claims) for one in measured] == [
        ("a#0", 0.75, 1), ("a#1", 0.5, 4)
    ]  # fmt: skip

    rows, composition = build_pairs(
        files, monkeypatch, "facttune-mc", confidence=files("confidence.jsonl")
    )
    assert {(one.source, one.chosen, one.rejected) for one in rows} == {
        ("factual", "First.", "Second.")
    }
    assert rows[0].chosen_scores["factual"] == 0.75
    assert composition["pairs"] == {"factual": 1} and composition["factual_mean"] == 0.625

    for given in (
        {},
        {"confidence": files("confidence.jsonl"), "verdicts": files("answers.jsonl")},
    ):
        with pytest.raises(InputError, match=r"set facttune-mc: .* those of --confidence"):
            build_pairs(files, monkeypatch, "facttune-mc", **given)
    with pytest.raises(InputError, match=r"set facttune: .* those of --verdicts"):
        build_pairs(files, monkeypatch, "facttune", confidence=files("confidence.jsonl"))
    too_many = [one.model_copy(update={"claims": one.claims + 2}) for one in measured]
    files("confidence.jsonl", too_many)
    with pytest.raises(InputError, match=r"a#0 has 2 claim\(s\) and 3 confidence\(s\)"):
        build_pairs(files, monkeypatch, "facttune-mc", confidence=files("confidence.jsonl"))


def test_responses_without_claims_are_asked_nothing(files, monkeypatch):
    files("claims.jsonl", [])
    program(
        monkeypatch, "write_facttune_questions", claims=files("claims.jsonl"),
        requests=files("questions.jsonl"),
    )  # fmt: skip
    program(
        monkeypatch, "write_facttune_answers", question_requests=files("questions.jsonl"),
        question_generations=files("none.jsonl", []), name="x/mc", requests=files("answers.jsonl"),
        dropped=files("dropped.json"),
    )  # fmt: skip
    program(
        monkeypatch, "measure_confidence", claims=files("claims.jsonl"),
        requests=files("answers.jsonl"), generations=files("none.jsonl"),
        confidence=files("confidence.jsonl"),
    )  # fmt: skip
    assert files("confidence.jsonl").read_text() == ""


# New instructions


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


# Evaluation


def test_long_responses_are_measured(files, monkeypatch):
    prompts = [ASKED[0].model_copy(update={"domain": "id"}), ASKED[2]]
    claims = [
        Claim(id=f"a#0.{i}", response="a#0", topic="a", sentence=0, text="So.") for i in range(2)
    ]
    options = {
        "instructions": [files("a.jsonl", prompts)],
        "responses": files("responses.jsonl", [response("a", 0, "Ada lived in London.")]),
        "splittings": files("splittings.jsonl", [Splitting(response="a#0", state="ok", claims=2)]),
        "claims": files("claims.jsonl", claims),
        "verdicts": files("verdicts.jsonl", verified("a#0", "s", "u")),
        "gamma": 0,
        "k": [2, 4],
        "items": files("items.jsonl"),
    }
    program(monkeypatch, "measure_long_form", **options)
    first, second = read_unique_rows(files("items.jsonl"), Item)
    assert (first.id, first.domain, second.id, second.domain) == ("a", "id", "c", "ood")
    assert first.metrics == {
        "split_failed": 0, "responded": 1, "recall_at_2": 0.5, "f1_at_2": 0.5, "recall_at_4": 0.25,
        "f1_at_4": pytest.approx(1 / 3), "factscore": 0.5, "claims": 2, "correct": 1, "wrong": 1,
        "unverifiable": 1, "words": 4,
    }  # fmt: skip
    assert (second.metrics["responded"], second.metrics["words"]) == (0, 0)
    for rows, message in [
        ([response("b")], "response b#0: 'b' is not among"),
        ([response("a"), response("a", 1)], "'a' has two responses"),
    ]:
        files("responses.jsonl", rows)
        with pytest.raises(InputError, match=message):
            program(monkeypatch, "measure_long_form", **options)


def test_two_checkpoints_are_compared(files, monkeypatch):
    mine = [response("a", 0, "Good."), response("b", 0, "Same."), response("d", 0, "Five.")]
    theirs = [
        response("a", 0, "Bad."), response("b", 0, "Same."), response("c", 0, "There."),
        response("d", 0, "Six."),
    ]  # fmt: skip
    prompts = files("a.jsonl", ASKED)
    program(
        monkeypatch, "write_comparisons", instructions=prompts, first=files("first.jsonl", mine),
        second=files("second.jsonl", theirs), form="plain", max_tokens=12,
        requests=files("requests.jsonl"),
    )  # fmt: skip
    requests = read_unique_rows(files("requests.jsonl"), Request)
    assert [(one.instruction, one.first_is) for one in requests] == [
        ("a", "a"), ("a", "b"), ("c", "a"), ("c", "b"), ("d", "a"), ("d", "b"),
    ]  # fmt: skip
    assert requests[0].sampling.max_tokens == 12
    assert "[Response A]\n\n[End of A]\n\n[Response B]\nThere." in requests[2].prompt
    said = ["Verdict: A", "Verdict: B", "Verdict: B", "Verdict: A", "Verdict: A", "I cannot say."]
    texts = dict(zip((one.id for one in requests), said, strict=True))
    program(
        monkeypatch, "judge_comparisons", instructions=prompts, requests=files("requests.jsonl"),
        generations=files("generations.jsonl", generated(requests, texts)),
        items=files("items.jsonl"),
    )  # fmt: skip
    items = read_unique_rows(files("items.jsonl"), Item)
    assert {item.id: (item.outcome, item.metrics) for item in items} == {
        "a": ("win", {"win": 1, "tie": 0, "unparsed": 0}),
        "b": ("identical", {"win": 0.5, "tie": 1, "unparsed": 0}),
        "c": ("loss", {"win": 0, "tie": 0, "unparsed": 0}),
        "d": ("unparsed", {"tie": 0, "unparsed": 1}),
    }


def test_a_checkpoint_against_itself_needs_no_judge(files, monkeypatch):
    same = files("same.jsonl", [response(one.id) for one in ASKED])
    prompts = files("a.jsonl", ASKED)
    program(
        monkeypatch, "write_comparisons", instructions=prompts, first=same, second=same,
        form="chat", max_tokens=12, requests=files("requests.jsonl"),
    )  # fmt: skip
    program(
        monkeypatch, "judge_comparisons", instructions=prompts, requests=files("requests.jsonl"),
        generations=files("generations.jsonl", []), items=files("items.jsonl"),
    )  # fmt: skip
    assert [item.metrics["win"] for item in read_rows(files("items.jsonl"), Item)] == [0.5] * 4


def test_the_verifier_is_put_to_the_test(files, monkeypatch):
    facts = [
        *(question("country_capital", name, city) for name, city in CAPITALS.items()),
        *(question("element_symbol", *row) for row in (("gold", "Au"), ("iron", "Fe"))),
    ]
    options = {
        "facts": files("facts.jsonl", facts), "store": files("store"), "n": 6, "seed": 2,
        "table": files("table.csv"),
    }  # fmt: skip
    program(monkeypatch, "check_verifier", **options, verifier='{"kind": "table"}')
    found = {(row["relation"], row["metric"]): row for row in csv_rows(files("table.csv"))}
    assert len(found) == 3 * 4
    expected = share(6, 6)
    row = found["All", "accuracy"]
    assert [float(row[name]) for name in ("value", "low", "high", "n")] == [
        1, pytest.approx(expected.low), 1, 6,
    ]  # fmt: skip
    assert [found["All", name]["n"] for name in ("precision", "recall", "coverage")] == list("336")
    assert {found["country_capital", "coverage"]["n"], found["element_symbol", "coverage"]["n"]} == {
        "4", "2",
    }  # fmt: skip

    verifier = {"kind": "retrieval", "passages": {"format": "facts"}}
    with pytest.raises(InputError, match="--judge: missing"):
        program(monkeypatch, "check_verifier", **options, verifier=json.dumps(verifier))
    verifier["passages"] = {"format": "rows", "source": "file:pages.jsonl"}
    with pytest.raises(InputError, match="--passages: missing"):
        program(monkeypatch, "check_verifier", **options, verifier=json.dumps(verifier))


def test_agreement_of_a_verifier_that_errs():
    from plumbline.verification.check import agreement_rows
    from plumbline.verification.truth import LabelledClaim

    # True ones: supported, supported, refuted, unverifiable; false ones: supported, refuted.
    cases = [(True, "s"), (True, "s"), (True, "r"), (True, "u"), (False, "s"), (False, "r")]
    claims = [
        LabelledClaim(
            id=f"q.{i}", response="q", topic="q", sentence=0, text="So.", true=true,
            relation="odd" if i % 2 else "even",
        )
        for i, (true, _) in enumerate(cases)
    ]  # fmt: skip
    verdicts = verified("q", *(verdict for _, verdict in cases))
    rows = {(r["relation"], r["metric"]): r for r in agreement_rows(verdicts, claims)}
    found = {key[1]: (row["value"], row["n"]) for key, row in rows.items() if key[0] == "All"}
    assert found == {
        "accuracy": (3 / 5, 5), "precision": (2 / 3, 3), "recall": (2 / 4, 4), "coverage": (5 / 6, 6),
    }  # fmt: skip
    assert (rows["even", "precision"]["value"], rows["even", "precision"]["n"]) == (0.5, 2)
    expected = share(5, 6)
    assert (rows["All", "coverage"]["low"], rows["All", "coverage"]["high"]) == (
        expected.low, expected.high,
    )  # fmt: skip


# The tables


def test_every_state_is_counted_and_some_responses_are_shown(second_stage, monkeypatch):
    files = second_stage
    build_pairs(files, monkeypatch)
    decisions = [
        decision("a", True, label=True), decision("b", False, label=True), decision("c", True),
        FactBased(id="d", fact_based=False, decided_by="undecided", text="?", label=False),
    ]  # fmt: skip
    files("decisions.jsonl", decisions)
    splittings = [
        Splitting(response="a#0", state="ok", sentences=3, unparsable=1, cut=2, claims=2),
        Splitting(response="b#0", state="refused"),
    ]
    claims = [
        Claim(id=f"a#0.{i}", response="a#0", topic="a", sentence=i, text=f"Claim {i}.")
        for i in range(2)
    ]
    verdicts = verified("a#0", "s", "u")
    verdicts[0].evidence = [{"title": "Ada", "text": "She lived."}]
    verdicts[1].state = "no page"
    said = [response("a", 1, "Later."), response("a", 0, "Now."), response("b", 0, "No.")]
    shown = {
        "responses": str(files("said.jsonl", said)), "claims": str(files("claims.jsonl", claims)),
        "splittings": str(files("split.jsonl", splittings)),
        "verdicts": str(files("checked.jsonl", verdicts)),
    }  # fmt: skip
    other = {
        **shown,
        "responses": str(files("other.jsonl", [response("b", 0, "No."), response("c")])),
    }
    rows = [
        {"model": "m", "seed": 0, "checkpoint": "base", **shown},
        {
            "model": "m", "seed": 1, "checkpoint": "flame.sft.dpo-star",
            "composition": str(files("composition.json")),
            "decisions": str(files("decisions.jsonl")),
        },
    ]  # fmt: skip

    def tabulate(rows, **more):
        program(
            monkeypatch, "tabulate_flame", rows=json.dumps(rows), table=files("states.csv"),
            sample=files("sample.json"), **more,
        )  # fmt: skip
        found = csv_rows(files("states.csv"))
        states = {(r["checkpoint"], r["item"], r["state"]): int(r["n"]) for r in found}
        assert len(states) == len(found)
        return states, read_json(files("sample.json"))["responses"]

    states, sample = tabulate(rows)
    base, tuned = "base", "flame.sft.dpo-star"
    assert states == {
        (base, "responses split", "ok"): 1, (base, "responses split", "refused"): 1,
        (base, "sentences", "read"): 2, (base, "sentences", "unparsable"): 1,
        (base, "claims", "kept"): 2, (base, "claims", "cut off"): 2,
        (base, "claims", "said before"): 0,
        (base, "verdicts", "supported"): 1, (base, "verdicts", "unverifiable: no page"): 1,
        (tuned, "instructions", "fact-based, by text"): 2,
        (tuned, "instructions", "not fact-based, by text"): 1,
        (tuned, "instructions", "not fact-based, by undecided"): 1,
        (tuned, "instructions with a label", "fact-based, decided fact-based"): 1,
        (tuned, "instructions with a label", "fact-based, decided not fact-based"): 1,
        (tuned, "instructions with a label", "not fact-based, decided not fact-based"): 1,
        (tuned, "judgements", "parsed"): 7, (tuned, "judgements", "unparsed"): 1,
        (tuned, "responses judged", "judged"): 4,
        (tuned, "responses judged", "no judgement read"): 0,
        (tuned, "pairs", "factual"): 1, (tuned, "pairs", "helpful"): 2,
    }  # fmt: skip
    first, second = sorted(sample, key=lambda one: one["instruction"])
    assert first == {
        "model": "m", "seed": 0, "checkpoint": "base", "instruction": "a", "topic": "a",
        "prompt": "Say a.", "text": "Now.", "state": "ok",
        "claims": [
            {
                "text": "Claim 0.", "sentence": 0, "verdict": "supported", "state": "ok",
                "score": None, "evidence": [{"title": "Ada", "text": "She lived."}],
            },
            {
                "text": "Claim 1.", "sentence": 1, "verdict": "unverifiable", "state": "no page",
                "score": None, "evidence": [],
            },
        ],
    }  # fmt: skip
    assert (second["state"], second["claims"]) == ("refused", [])

    # What all have answered is shown, and the draw does not depend on the order of responses.
    _, sample = tabulate([rows[0], {**rows[1], **other}])
    assert [(one["checkpoint"], one["instruction"]) for one in sample] == [
        (base, "b"),
        (tuned, "b"),
    ]
    _, sample = tabulate(rows[:1], shown=1)
    assert [one["instruction"] for one in sample] == sorted("ab", key=lambda name: order(name, 1))[
        :1
    ]
    states, sample = tabulate(rows[1:])
    assert sample == [] and not any(item == "verdicts" for _, item, _ in states)


def test_the_states_of_a_first_stage(first_stage, monkeypatch):
    from plumbline.methods.flame.table import of_composition

    _, composition = build_sft(first_stage, monkeypatch, "sft")
    assert list(of_composition(composition)) == [
        ("examples", "human", 3), ("examples", "own", 0), ("examples", "retrieved", 0),
        ("sft", "no human response", 1),
    ]  # fmt: skip
