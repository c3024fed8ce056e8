"""Which instructions ask for facts: by what the model says, then by its logits."""

import json

import pytest
from flame_stages import ASKED, generated
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import InputError, read_json, read_unique_rows
from plumbline.methods.flame.fact_based import FactBased, classify_requests
from plumbline.records import Request
from programs import program


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
