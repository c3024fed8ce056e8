"""What a configuration asks of a model is told before any work: chat templates and lengths."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml
from plumbline.experiment import config as experiment
from plumbline.experiment.needs import needs
from plumbline.generation import start
from plumbline.models import suitability
from plumbline.models.importing import import_model
from plumbline.models.suitability import Chat, Length, Needs
from plumbline.records import Generation, Probe, Request, Sampling
from plumbline.storage.files import InputError, read_rows, write_json, write_rows
from plumbline.training.monitor import measure
from programs import listed, program
from pydantic import BaseModel
from tiny import CHAT_TEMPLATE, tiny_model, tiny_tokenizer

DEFAULT = yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text())
ENDS = [2]  # <|im_end|>
WORKS = {"one": ["base", "", "one.jsonl"]}
PLAIN = Chat(key="mixes.prompt: chat", instead="mixes.prompt: plain", answered=True)
TURNS = Chat(key="grath.legacy_prompt: null", instead="grath.legacy_prompt: llama2", shown=True)
REFUSES_TURNS = (
    "{% if messages | length > 1 %}{{ raise_exception('one turn, please') }}{% endif %}"
    + CHAT_TEMPLATE
)


def configuration(**changes) -> experiment.Config:
    """The default one with chat templates nowhere, then changes by dotted key (dots as __)."""
    raw = copy.deepcopy(DEFAULT)
    raw["apeft"]["prompt"] = "plain"
    raw["grath"]["legacy_prompt"] = "llama2"
    for key, value in changes.items():
        at, *path = raw, *key.split("__")
        for part in path[:-1]:
            at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
        at[int(path[-1]) if isinstance(at, list) else path[-1]] = value
    return experiment.load(raw)


def leaves(section: BaseModel, key: str = ""):
    """(key, field, section) of every key of a configuration, with __ for dots."""
    for name, field in type(section).model_fields.items():
        yield f"{key}{name}", field, section
        value = getattr(section, name)
        parts = value if isinstance(value, list) else [value]
        for number, part in enumerate(parts):
            if isinstance(part, BaseModel):
                place = f"__{number}" if isinstance(value, list) else ""
                yield from leaves(part, f"{key}{name}{place}__")


# --- what a configuration needs -------------------------------------------------------------------


def test_every_key_that_can_say_chat_is_known():
    plain = configuration()
    assert needs(plain).chat == []
    words = [
        key
        for key, field, _ in leaves(plain)
        if get_origin(field.annotation) is Literal and "chat" in get_args(field.annotation)
    ]
    assert len(words) >= 5
    for word in words:
        [found] = needs(configuration(**{word: "chat"})).chat
        key = found.key.replace("[", "__").replace("]", "").replace(".", "__")
        assert key == f"{word}: chat"
        assert found.instead.split(": ")[1] in ("plain", "qa")
    [found] = needs(configuration(grath__legacy_prompt=None)).chat
    assert (found.key, found.shown, found.answered) == ("grath.legacy_prompt: null", True, True)


def test_every_longest_answer_and_example_is_known():
    config = configuration(
        claims__splitter="model",
        mixes__overrides={"unknown-50": {"max_length": 77}, "unknown-0": {"epochs": 2}},
    )
    found = {one.key: (one.tokens, one.answer) for one in needs(config).lengths}
    for word, _, section in leaves(config):
        name = word.rpartition("__")[2]
        if name.endswith("_tokens") and name != "batch_tokens":
            assert found.pop(word.replace("__", ".")) == (getattr(section, name), True)
    recipes = ["sft", "grath", "flame_sft", "flame_dpo", "apeft"]
    expected = {f"recipes.{name}.max_length": config.recipes[name].max_length for name in recipes}
    expected["mixes.overrides.unknown-50.max_length"] = 77
    assert found == {key: (tokens, False) for key, tokens in expected.items()}


def test_what_is_not_used_needs_nothing():
    config = configuration(
        flame=None, apeft=None, grath=None, evaluation__long_form=None, claims__splitter="model",
        evaluation__token_shift=None,
    )  # fmt: skip
    assert [one.key for one in needs(config).lengths] == [
        "slick.max_tokens",
        "recipes.sft.max_length",
    ]


def test_an_answer_that_leaves_no_room_for_a_prompt_is_told_from_the_configuration_alone():
    config = configuration(generation__max_model_len=128)
    with pytest.raises(InputError, match=r"flame.max_tokens: 128 .*generation.max_model_len: 128"):
        needs(config)


# --- chat templates ---------------------------------------------------------------------------------


def complaint(template: str | None, *chats: Chat) -> str | None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    try:
        suitability.check("tiny", tokenizer, ENDS, Needs(chat=list(chats)))
    except InputError as error:
        assert "\n" not in str(error)
        return str(error)
    return None


def test_a_template_that_does_what_is_asked_is_accepted():
    assert complaint(CHAT_TEMPLATE, PLAIN, TURNS) is None
    thinks = CHAT_TEMPLATE.replace(
        "+ message['content']", "+ '<think>\n</think>' + message['content']"
    )
    assert complaint(thinks, PLAIN, TURNS) is None
    assert complaint(None) is None


def test_every_key_that_needs_a_missing_template_is_named():
    assert complaint(None, PLAIN, TURNS) == (
        "model tiny: its tokenizer has no chat template, which mixes.prompt: chat and "
        "grath.legacy_prompt: null need. Set mixes.prompt: plain and grath.legacy_prompt: llama2, "
        "or name a model with a template."
    )


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (REFUSES_TURNS, r"cannot write the turns user-assistant-user \(one turn, please\)"),
        ("{{ messages[0].nothing.at.all }}", "cannot write the turns user "),
        ("{{ messages[-1].content }}<|im_start|>", "leaves 'What is the first"),
        (CHAT_TEMPLATE.split("{% if add_gen")[0], "a prompt ends like an answer"),
        (
            CHAT_TEMPLATE.replace(
                "+ '\n' + message['content']", "+ '\n' + BEFORE + message['content']"
            ).replace("BEFORE", "('final<|endoftext|>' if message.role == 'assistant' else '')"),
            "puts 'final' before an answer, where it would count",
        ),
    ],
    ids=["one turn only", "an error", "the last turn only", "no turn opened", "a channel named"],
)
def test_a_template_that_does_not_do_what_is_asked_is_refused(template, told):
    import re

    found = complaint(template, TURNS)
    assert re.search(told, found)
    assert found.endswith("Set grath.legacy_prompt: llama2, or correct the template.")


def test_a_template_need_not_do_what_nothing_asks_for():
    single = Chat(key="evaluation.choices[0].prompt: chat", instead="qa")
    assert complaint(REFUSES_TURNS, single) is None
    assert "user-assistant (" in complaint(REFUSES_TURNS, PLAIN)


# --- lengths ----------------------------------------------------------------------------------------


def fits(positions: int, **length) -> bool:
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = positions
    try:
        suitability.check("tiny", tokenizer, ENDS, Needs(lengths=[Length(key="k", **length)]))
    except InputError as error:
        assert str(error).startswith(f"model tiny: it reads at most {positions} tokens, too few")
        return False
    return True


def test_an_example_may_fill_the_model_and_an_answer_leaves_room_for_a_prompt():
    assert fits(64, tokens=64)
    assert not fits(64, tokens=65)
    assert fits(64, tokens=63, answer=True)
    assert not fits(64, tokens=64, answer=True)


# --- where it is told -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory) -> Path:
    """A folder of a GPT-2 with 64 positions and no chat template."""
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("gpt2")
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    tokenizer.save_pretrained(folder)
    GPT2LMHeadModel(
        GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=1, n_positions=64)
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(gpt2, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run") / "base"
    import_model(gpt2, out, "short", dtype="float32")
    return out


def test_import_tells_of_every_key_and_leaves_nothing(gpt2, tmp_path, monkeypatch):
    write_json(tmp_path / "source.json", {"source": "file:gpt2", "path": str(gpt2), "sha256": None})
    asked = needs(configuration(mixes__prompt="chat", recipes__sft__max_length=65))
    with pytest.raises(InputError) as caught:
        import_model(gpt2, tmp_path / "base", "short", needs=asked)
    told = str(caught.value)
    assert told.startswith("model short: its tokenizer has no chat template, which mixes.prompt: ")
    assert "it reads at most 64 tokens, too few for grath.max_tokens: 100 after a prompt" in told
    assert "recipes.sft.max_length: 65" in told
    assert "slick" not in told
    assert not (tmp_path / "base").exists()


@pytest.mark.parametrize("name", ["import_model", "generate", "train"])
def test_programs_tell_before_they_load_a_model(name, gpt2, checkpoint, tmp_path, monkeypatch):
    """Import for a first configuration; the others for one that was changed since."""
    shutil.copytree(checkpoint, tmp_path / "m/base")
    asked = Needs(chat=[PLAIN]).model_dump_json()
    monkeypatch.setattr(start, "Engines", lambda *_, **__: pytest.fail("an engine was started"))
    write_json(tmp_path / "source.json", {"source": f"file:{gpt2}", "path": str(gpt2)})
    options = {
        "import_model": {"source_marker": tmp_path / "source.json", "name": "m",
                         "out": tmp_path / "out"},
        "generate": {"root": tmp_path / "m", "works": listed(tmp_path, WORKS),
                     "work": "one", "settings": "{}", "device": "cpu", "threads": 1},
        "train": {"root": tmp_path / "m", "name": "t", "seed": 1, "parent": "base",
                  "examples": tmp_path / "none.jsonl", "stops": "final", "max_tokens": 4,
                  "recipe": '{"learning_rate": 0.1, "epochs": 1, "global_batch_size": 8}',
                  "match": "squad", "device": "cpu", "threads": 1, "fit": tmp_path / "fit",
                  "training": tmp_path / "training"},
    }  # fmt: skip
    with pytest.raises(InputError, match=r"model m: .*mixes\.prompt: chat needs\. Set"):
        program(monkeypatch, name, needs=asked, **options[name])


def generated(checkpoint: Path, root: Path, monkeypatch, prompt: str) -> list[Generation]:
    """What a job gives under generation.max_model_len: 1024."""
    shutil.copytree(checkpoint, root / "base")
    request = Request(id="r", prompt=prompt, purpose="x", sampling=Sampling(max_tokens=8))
    write_rows(root / "one.jsonl", [request])
    program(
        monkeypatch, "generate", root=root, works=listed(root, WORKS), work="one",
        settings='{"engine": "transformers", "dtype": "float32", "max_model_len": 1024}',
        device="cpu", threads=1, generations=root / "out.jsonl",
        needs=Needs(max_model_len=1024).model_dump_json(),
    )  # fmt: skip
    return list(read_rows(root / "out.jsonl", Generation))


def test_a_limit_above_the_models_is_the_models(checkpoint, tmp_path, monkeypatch):
    [answer] = generated(checkpoint, tmp_path, monkeypatch, "x" * 56)  # the last that fits
    assert len(answer.token_ids) == 8 or answer.finish == "stop"


def test_a_prompt_beyond_the_model_is_told_before_an_engine_starts(
    checkpoint, tmp_path, monkeypatch
):
    with pytest.raises(InputError, match=r"need 65 tokens, but the model reads at most 64; short"):
        generated(checkpoint, tmp_path, monkeypatch, "x" * 57)


def test_vllm_is_not_asked_for_more_than_the_model_has(checkpoint, tmp_path, monkeypatch):
    from plumbline.config.engines import GenerationSettings
    from plumbline.generation import vllm_engine
    from plumbline.models.checkpoints import load_tokenizer

    asked = {}

    class Noted:
        def __init__(self, folder, **options):
            asked.update(options)

        def close(self):
            pass

    monkeypatch.setattr(vllm_engine, "prepare_environment", lambda *_: None)
    monkeypatch.setattr(vllm_engine, "VllmEngine", Noted)
    tokenizer = load_tokenizer(checkpoint)
    for limit, expected in ((1024, 64), (32, 32)):
        with start.Engines(GenerationSettings(max_model_len=limit), "cpu", 1, tmp_path) as engines:
            engines.of(checkpoint, tokenizer)
        assert asked["max_model_len"] == expected


def test_questions_after_an_epoch_that_do_not_fit_are_told(checkpoint):
    from plumbline.models.checkpoints import load_tokenizer

    probe = Probe(
        id="p", prompt="x" * 60, answers=["a"], part="dev", domain="id", category="Unknown"
    )
    with pytest.raises(InputError, match=r"need 65 tokens .*at most 64; lower slick\.max_tokens"):
        measure(
            None, load_tokenizer(checkpoint), [probe], 0,
            end_token_ids=[2], sampling=Sampling(max_tokens=5), match="squad",
        )  # fmt: skip


def test_a_models_own_context_is_kept_by_its_tuned_checkpoints(tmp_path):
    """Stages ask the tokenizer, which every checkpoint has; an adapter has no config."""
    from plumbline.models.checkpoints import load_tokenizer

    import_model(tiny_model(tmp_path / "tiny"), tmp_path / "base", "base")
    load_tokenizer(tmp_path / "base").save_pretrained(tmp_path / "tuned")
    shutil.copy(tmp_path / "base/checkpoint.json", tmp_path / "tuned")
    assert load_tokenizer(tmp_path / "tuned").model_max_length == 512


def test_an_example_may_fill_a_model_that_begins_every_text_with_bos(tmp_path):
    """What is compared after training is what was trained on, not one token more."""
    from plumbline.config.training import Recipe
    from plumbline.training.run import TrainingRun, train
    from tokenizers import processors
    from transformers import OPTConfig, OPTForCausalLM

    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A", pair="<|im_start|> $A $B", special_tokens=[("<|im_start|>", 1)]
    )
    tokenizer.save_pretrained(tmp_path / "opt")
    sizes = {"hidden_size": 32, "ffn_dim": 32, "word_embed_proj_dim": 32, "num_hidden_layers": 1}
    OPTForCausalLM(
        OPTConfig(
            vocab_size=len(tokenizer), num_attention_heads=1, max_position_embeddings=32,
            dropout=0.0, bos_token_id=1, eos_token_id=2, pad_token_id=3, **sizes,
        )
    ).save_pretrained(tmp_path / "opt")  # fmt: skip
    asked = Needs(lengths=[Length(key="recipes.sft.max_length", tokens=32)])
    import_model(tmp_path / "opt", tmp_path / "base", "opt", dtype="float32", needs=asked)
    rows = [{"id": f"{n}", "prompt": f"{n}" * 20, "completion": "x" * 10} for n in range(4)]
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = Recipe(
        learning_rate=1e-2, epochs=1, global_batch_size=4, max_length=32, dtype="float32"
    )
    summary = train(
        TrainingRun(
            name="t", examples=tmp_path / "examples.jsonl", parent=tmp_path / "base",
            recipe=recipe, stops=("final",), probes=[], sampling=Sampling(max_tokens=1),
            match="squad", seed=1, device="cpu", out=tmp_path / "t", work=tmp_path / "t/work",
        )
    )  # fmt: skip
    assert summary["examples"] == 4
    assert summary["dropped"] == {"too_long": 0}
