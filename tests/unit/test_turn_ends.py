"""Where an answer ends: what the chat template ends a turn with, learnt once and stopped at."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from plumbline.config.training import Recipe, Training
from plumbline.generation.engine import RenderedPrompt, end_tokens, render
from plumbline.generation.transformers_engine import TransformersEngine
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.records import Example, Message, Pair, Probe, Request, Sampling
from plumbline.storage.files import InputError, write_rows
from plumbline.training.data import load_examples, load_pairs
from plumbline.training.run import TrainingRun, train
from plumbline.training.trainers import kto_trainer, sft_trainer
from tiny import tiny_model, tiny_tokenizer

TURNS = (
    "{{% for m in messages %}}"
    "{{{{ '<|im_start|>' + m['role'] + '\n' + (m['content'] | trim) + '{end}' }}}}"
    "{{% endfor %}}"
    "{{% if add_generation_prompt %}}{{{{ '<|im_start|>assistant\n' }}}}{{% endif %}}"
)
# What ends a turn in the template, what of it is learnt, and the tokenizer's EOS.
KINDS = {
    "a token that is not EOS": ("<|im_end|>\n", "<|im_end|>", "<|endoftext|>"),
    "EOS, then several tokens": ("<|im_end|> \n--\n", "<|im_end|>", "<|im_end|>"),
    "a space, then EOS": (" <|im_end|>", " <|im_end|>", "<|im_end|>"),
    "words that are no token": ("</turn>\n", "<|endoftext|>", "<|endoftext|>"),
    "nothing": ("", "<|endoftext|>", "<|endoftext|>"),
}
CITIES = ["Paris", "Rome", "Oslo", "im", "Rome"]


def turn(role, text):
    return [Message(role=role, content=text)]


def base_of(folder: Path, end: str, eos: str) -> Path:
    source = tiny_model(folder / "source", ["Paris", "Rome", "Oslo"])
    tokenizer = tiny_tokenizer(["Paris", "Rome", "Oslo"])
    tokenizer.eos_token, tokenizer.pad_token = eos, "<|pad|>"
    tokenizer.chat_template = TURNS.format(end=end.replace("\n", "\\n"))
    tokenizer.save_pretrained(source)
    import_model(source, folder / "base", "base", dtype="float32")
    return folder / "base"


def prompt(n, form):
    text = "abcde"[n] * 6
    return turn("user", text) if form == "chat" else f"{text}\n"


def side(text, form):
    return turn("assistant", text) if form == "chat" else text


@pytest.mark.parametrize("form", ["chat", "plain"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_and_its_end_are_learnt_once(tmp_path, kind, form):
    end, learnt, eos = KINDS[kind]
    if form == "plain":
        learnt = eos
    base = base_of(tmp_path, end, eos)
    tokenizer = checkpoints.load_tokenizer(base)
    sft, dpo = tmp_path / "examples.jsonl", tmp_path / "pairs.jsonl"
    write_rows(sft, [
        Example(id=f"e{n}", prompt=prompt(n, form), completion=side(city, form))
        for n, city in enumerate(CITIES)
    ])  # fmt: skip
    write_rows(dpo, [
        Pair(id=f"p{n}", prompt=prompt(n, form), chosen=side(city, form),
             rejected=side("Bern, maybe", form))
        for n, city in enumerate(CITIES)
    ])  # fmt: skip
    rows, _ = load_examples(sft, tokenizer, 128)
    pairs, _ = load_pairs(dpo, tokenizer, 128)
    asked = [
        render(tokenizer, Probe(
            id="p", answers=["x"], part="train", domain="id", category="Unknown",
            **{"messages" if form == "chat" else "prompt": prompt(n, form)},
        ))
        for n in range(len(CITIES))
    ]  # fmt: skip
    for city, row, pair, ids in zip(CITIES, rows, pairs, asked, strict=True):
        labels = [label for label in row["labels"] if label != -100]
        assert tokenizer.decode(labels) == tokenizer.decode(pair.chosen_ids) == city + learnt
        assert tokenizer.decode(pair.rejected_ids) == "Bern, maybe" + learnt
        assert row["input_ids"] == [*ids, *labels]
        assert pair.prompt_ids == list(ids)
        assert labels[-1] in end_tokens(base, tokenizer)
        assert not set(labels[:-1]) & set(end_tokens(base, tokenizer))

    where = {
        "parent": base, "seed": 1, "device": "cpu", "work": tmp_path / "work", "micro": 5,
        "settings": Training(),
    }  # fmt: skip
    recipe = Recipe(learning_rate=0.01, epochs=1, global_batch_size=5, dtype="float32")
    (batch,) = sft_trainer(recipe, rows, tokenizer, **where).get_train_dataloader()
    assert sorted(ids[ids != -100].tolist() for ids in batch["labels"]) == sorted(
        [label for label in row["labels"] if label != -100] for row in rows
    )
    kto = recipe.model_copy(update={"method": "kto", "global_batch_size": 10})
    trainer = kto_trainer(kto, pairs, tokenizer, **{**where, "micro": 10})
    (batch,) = trainer.get_train_dataloader()
    chosen = [
        ids[mask == 1].tolist()
        for ids, mask, wanted in zip(
            batch["input_ids"], batch["completion_mask"], batch["label"], strict=True
        )
        if wanted
    ]
    assert sorted(chosen) == sorted(pair.chosen_ids for pair in pairs)


@pytest.mark.parametrize("kind", ["a token that is not EOS", "words that are no token"])
def test_generation_stops_where_training_ended(tmp_path, kind):
    """After full training, and after an adapter was trained on what it left."""
    torch.set_num_threads(1)
    end, learnt, eos = KINDS[kind]
    base = base_of(tmp_path, end, eos)
    cities = CITIES[:3]
    write_rows(tmp_path / "examples.jsonl", [
        Example(id=f"e{n}", prompt=prompt(n, "chat"), completion=side(city, "chat"))
        for n, city in enumerate(cities)
    ])  # fmt: skip
    probes = [
        Probe(id=f"{part}{n}", messages=prompt(n, "chat"), answers=[city], part=part, domain="id",
              category="Unknown")
        for n, city in enumerate(cities) for part in ("train", "dev")
    ]  # fmt: skip
    recipe = Recipe(
        parameters="full", learning_rate=0.004, epochs=40, global_batch_size=3, dtype="float32"
    )
    run = TrainingRun(
        name="mix", examples=tmp_path / "examples.jsonl", parent=base, recipe=recipe,
        stops=("convergence",), probes=probes, sampling=Sampling(max_tokens=8, stop=("\n",)),
        match="squad", seed=1, device="cpu", out=tmp_path / "mix", work=tmp_path / "mix/work",
    )  # fmt: skip
    adapted = replace(
        run, parent=run.out / "convergence", out=tmp_path / "next", work=tmp_path / "next/work",
        recipe=recipe.model_copy(update={"parameters": "lora", "learning_rate": 1e-4, "epochs": 1}),
    )  # fmt: skip
    requests = [
        Request(id="r", messages=one.messages, sampling=Sampling(max_tokens=20), purpose="x")
        for one in probes[::2]
    ]
    last = checkpoints.load_tokenizer(base).convert_tokens_to_ids(learnt)
    for one in (run, adapted):
        assert train(one)["loss"][-1]["loss"] < 0.1
        fits = [json.loads(line) for line in (one.work / "fit.jsonl").read_text().splitlines()]
        epoch = one.recipe.epochs
        assert [len(row["right"]) for row in fits if row["epoch"] == epoch] == [3, 3]
        saved = one.out / "convergence"
        tokenizer = checkpoints.load_tokenizer(saved)
        engine = TransformersEngine(
            checkpoints.load_model(saved, "float32").eval(), tokenizer,
            end_token_ids=end_tokens(saved, tokenizer), batch_size=8,
        )  # fmt: skip
        found = engine.complete(
            [RenderedPrompt(render(tokenizer, r), r.sampling) for r in requests]
        )
        assert [(one.text, one.finish) for (one,) in found] == [(city, "stop") for city in cities]
        assert {one.token_ids[-1] for (one,) in found} == {last}
        with checkpoints.full_weights(saved, "float32", tmp_path / "merge") as folder:
            assert last in end_tokens(folder, tokenizer)


def test_a_template_that_changes_the_answer_is_refused(tmp_path):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = TURNS.format(end="<|im_end|>").replace("| trim", "| upper")
    example = Example(id="e", prompt=prompt(1, "chat"), completion=side("Rome", "chat"))
    write_rows(tmp_path / "examples.jsonl", [example])
    with pytest.raises(InputError, match="does not write the answer 'Rome' unchanged"):
        load_examples(tmp_path / "examples.jsonl", tokenizer, 64)
