import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from plumbline.config.training import Recipe
from plumbline.models import checkpoints
from plumbline.records import Example, Fit, Message, Probe, Sampling
from plumbline.storage.files import InputError, read_json, read_rows, write_json, write_rows
from plumbline.training import trainers
from plumbline.training.data import load_examples
from plumbline.training.run import TrainingRun, clean_up, train
from plumbline.training.trainers import sft_trainer
from safetensors.torch import load_file
from transformers import TrainerCallback

RECIPE = {
    "parameters": "lora", "learning_rate": 0.02, "epochs": 4, "global_batch_size": 4,
    "micro_batch_size": 2, "max_length": 64, "dtype": "float32",
    "lora": {"rank": 8, "alpha": 16, "dropout": 0.1},
}  # fmt: skip
CITIES = ["Paris", "Rome", "Oslo", "Paris", "Rome", "Oslo", "Rome", "Rome"]
EXAMPLES = [
    Example(id=f"e{n}", prompt=f"capital {n}\n", completion=city) for n, city in enumerate(CITIES)
]


def probes():
    def probe(example, part, domain="id"):
        return Probe(id=f"{part}/{domain}/{example.id}", prompt=example.prompt, part=part,
                     answers=[example.completion], domain=domain, category="Unknown")  # fmt: skip

    return [
        *(probe(one, "train") for one in EXAMPLES), *(probe(one, "dev") for one in EXAMPLES[:4]),
        probe(EXAMPLES[0], "test"), probe(EXAMPLES[1], "test", "ood"),
    ]  # fmt: skip


def make_run(root: Path, parent: Path, name="mix.unknown-50", **recipe) -> TrainingRun:
    examples = root / "examples.jsonl"
    if not examples.exists():
        write_rows(examples, EXAMPLES)
    return TrainingRun(
        name=name, examples=examples, parent=parent,
        recipe=Recipe(**{**RECIPE, **recipe}), stops=("early_stop", "convergence"),
        probes=probes(), sampling=Sampling(max_tokens=6, stop=("\n",)), match="squad", seed=1,
        device="cpu", out=root / name, work=root / name / "work",
    )  # fmt: skip


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = folder.glob("*.safetensors")
    return load_file(file)


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module")
def lora(tiny_base, tmp_path_factory):
    """A finished LoRA run, uninterrupted, and its summary. Not to be changed."""
    torch.set_num_threads(1)
    run = make_run(tmp_path_factory.mktemp("lora"), tiny_base)
    return run, train(run)


@pytest.mark.parametrize("parameters", ["lora", "full"])
def test_a_run_leaves_both_stops_and_says_what_it_did(lora, tiny_base, tmp_path, parameters):
    if parameters == "lora":
        run, summary = lora
    else:
        run = make_run(tmp_path, tiny_base, parameters="full", learning_rate=0.003)
        summary = train(run)
    fits = list(read_rows(run.work / "fit.jsonl", Fit))
    assert sorted({row.epoch for row in fits}) == [0, 1, 2, 3, 4]
    assert {(row.part, row.domain, row.n) for row in fits if row.epoch == 2} == {
        ("train", "id", 8), ("dev", "id", 4), ("test", "id", 1), ("test", "ood", 1),
    }  # fmt: skip
    dev = {row.epoch: row.correct for row in fits if row.part == "dev" and row.epoch}
    best = min(epoch for epoch in dev if dev[epoch] == max(dev.values()))
    assert {stop: about["epoch"] for stop, about in summary["stops"].items()} == {
        "early_stop": best, "convergence": 4,
    }  # fmt: skip
    losses = [row["loss"] for row in summary["loss"]]
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    assert (summary["steps"], summary["examples"]) == (4 * 2, 8)
    for stop, about in summary["stops"].items():
        folder = run.out / stop
        described = checkpoints.describe(folder)
        assert described["name"] == f"mix.unknown-50.{stop}"
        assert described["epoch"] == about["epoch"]
        assert described["weights_sha256"] == about["weights_sha256"]
        assert described["kind"] == ("adapter" if parameters == "lora" else "full")
        assert (folder / described["parent"]).resolve() == tiny_base.resolve()
        assert checkpoints.load_tokenizer(folder).eos_token == "<|im_end|>"


def test_a_memorisable_set_is_memorised_with_its_end(tiny_base, tmp_path):
    from plumbline.generation.engine import RenderedPrompt
    from plumbline.generation.transformers_engine import TransformersEngine

    run = make_run(tmp_path, tiny_base, parameters="full", learning_rate=0.005, epochs=30,
                   global_batch_size=8, micro_batch_size=8)  # fmt: skip
    summary = train(run)
    assert summary["loss"][-1]["loss"] < 0.1 < summary["loss"][0]["loss"]
    final = [r for r in read_rows(run.work / "fit.jsonl", Fit) if r.epoch == 30]
    assert {row.part: row.correct / row.n for row in final if row.domain == "id"} == {
        "train": 1, "dev": 1, "test": 1,
    }  # fmt: skip
    # The answer ends by itself, without a stop string.
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    engine = TransformersEngine(
        checkpoints.load_model(run.out / "convergence", "float32").eval(), tokenizer,
        end_token_ids=[tokenizer.eos_token_id], batch_size=8,
    )  # fmt: skip
    asked = [
        RenderedPrompt(tuple(tokenizer(one.prompt)["input_ids"]), Sampling(max_tokens=20))
        for one in EXAMPLES
    ]
    answers = [answer for (answer,) in engine.complete(asked)]
    assert [(one.text, one.finish) for one in answers] == [(city, "stop") for city in CITIES]


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_the_loss_is_on_the_answer_and_its_end_alone(tiny_base, tmp_path, form):
    run = make_run(tmp_path, tiny_base)
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    if form == "chat":
        write_rows(run.examples, [
            Example(id=one.id, prompt=[Message(role="user", content=one.prompt)],
                    completion=[Message(role="assistant", content=one.completion)])
            for one in EXAMPLES
        ])  # fmt: skip
    rows, _ = load_examples(run.examples, tokenizer, 64)
    trainer = sft_trainer(run.recipe, rows, tokenizer, **run.where)
    seen = 0
    for batch in trainer.get_train_dataloader():
        for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
            text = tokenizer.decode(labels[labels != -100])
            answer = text.removesuffix("<|im_end|>")
            assert answer in CITIES
            number = int(tokenizer.decode(ids).split("capital ")[1].split("\n")[0])
            assert CITIES[number] in answer
            assert tokenizer.pad_token_id not in labels
            seen += 1
    assert seen == 8


@pytest.mark.parametrize(("parameters", "rate"), [("full", 0.5), ("full", 0), ("lora", 0.5)])
def test_dropout_reaches_the_model(tiny_base, tmp_path, parameters, rate):
    lora = {"rank": 4, "alpha": 8, "dropout": 0}
    run = make_run(tmp_path, tiny_base, parameters=parameters, dropout=rate, lora=lora)
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    rows, _ = load_examples(run.examples, tokenizer, 64)
    model = sft_trainer(run.recipe, rows, tokenizer, **run.where).model.train()
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        first, second = model(ids).logits, model(ids).logits
        assert torch.equal(first, second) == (rate == 0)
        model.eval()
        assert torch.equal(model(ids).logits, model(ids).logits)


def test_dropout_layers_of_older_models_are_set_too():
    from plumbline.training.dropout import set_dropout
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=9)
    model = GPT2LMHeadModel(config)
    set_dropout(model, 0.25)
    layers = [module for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    assert {layer.p for layer in layers} == {0.25}


def test_what_is_too_long_is_left_out_and_counted(tiny_base, tmp_path):
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    path = tmp_path / "examples.jsonl"
    fits = Example(id="fits", prompt="x" * 58, completion="y" * 5)
    longer = Example(id="long", prompt="x" * 59, completion="y" * 5)
    assert len(tokenizer(fits.prompt + fits.completion)["input_ids"]) == 63
    write_rows(path, [fits, longer])
    rows, dropped = load_examples(path, tokenizer, 64)  # with its end token exactly 64
    (row,) = rows
    assert row["input_ids"] == [
        *tokenizer(fits.prompt + fits.completion)["input_ids"],
        tokenizer.eos_token_id,
    ]
    assert dropped == {"too_long": 1}
    write_rows(path, [longer])
    with pytest.raises(InputError, match="none of 1 examples fits max_length 64"):
        load_examples(path, tokenizer, 64)
    write_rows(path, [Example(id="void", prompt="x", completion=" ")])
    with pytest.raises(InputError, match="void: completion is empty"):
        load_examples(path, tokenizer, 64)
    chat = Example(id="c", prompt=[Message(role="user", content="x")],
                   completion=[Message(role="assistant", content="y")])  # fmt: skip
    write_rows(path, [chat])
    rendered = "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\ny<|im_end|>"
    length = len(tokenizer(rendered)["input_ids"])
    assert len(load_examples(path, tokenizer, length)[0]) == 1
    with pytest.raises(InputError, match="none of 1"):
        load_examples(path, tokenizer, length - 1)


PROGRAM = """
import os, signal, sys
from pathlib import Path
import torch
from plumbline.training import callbacks, run as module
from test_training import make_run
torch.set_num_threads(1)
run, where = make_run(Path(sys.argv[1]), Path(sys.argv[2])), sys.argv[3]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
watcher = callbacks.Savings if where == "on_save" else callbacks.Keeper
real = getattr(watcher, where)
def deadly(self, args, state, control, **rest):
    if round(state.epoch) == 3 and where == "on_save":
        die()  # the trainer's checkpoint is written, its mark is not
    real(self, args, state, control, **rest)
    if round(state.epoch) == 3:
        die()  # measured and candidate written, the trainer's checkpoint is not
setattr(watcher, where, deadly)
module.train(run)
"""


@pytest.mark.parametrize("where", ["on_epoch_end", "on_save"])
def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(
    lora, tiny_base, tmp_path, caplog, where
):
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), *sys.path]))
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(tiny_base), where],
        env={**os.environ, "PYTHONPATH": path}, check=False, capture_output=True,
    )  # fmt: skip
    assert ended.returncode == -9, ended.stderr.decode()[-2000:]
    run = make_run(tmp_path, tiny_base)
    assert not (run.out / "convergence").exists()
    caplog.set_level("INFO", logger="plumbline")
    summary = train(run)
    assert "going on after step 4 (epoch 2)" in caplog.text
    assert "epoch 2/4" not in caplog.text  # no finished epoch is trained again
    assert "epoch 3/4" in caplog.text
    assert "8/8 steps (100%)" in caplog.text
    whole, expected = lora
    for stop in run.stops:
        assert same(weights(run.out / stop), weights(whole.out / stop)), stop
        assert summary["stops"][stop] == expected["stops"][stop]
    assert (run.work / "fit.jsonl").read_text() == (whole.work / "fit.jsonl").read_text()
    assert summary["loss"] == expected["loss"]
    clean_up(run)
    assert sorted(path.name for path in run.out.iterdir()) == ["convergence", "early_stop"]


def test_work_of_another_recipe_is_not_gone_on_with(tiny_base, tmp_path, caplog, monkeypatch):
    from plumbline.training.callbacks import Keeper

    whole = Keeper.on_epoch_end

    def interrupted(self, args, state, control, **rest):
        if round(state.epoch) == 2:
            raise KeyboardInterrupt
        whole(self, args, state, control, **rest)

    monkeypatch.setattr(Keeper, "on_epoch_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(make_run(tmp_path, tiny_base, epochs=2))
    monkeypatch.undo()
    other = make_run(tmp_path, tiny_base, epochs=2, learning_rate=0.01)
    caplog.set_level("INFO", logger="plumbline")
    summary = train(other)
    assert "going on" not in caplog.text
    assert "epoch 1/2" in caplog.text
    assert summary["recipe"]["learning_rate"] == 0.01


def test_everything_that_matters_is_part_of_a_runs_identity(tiny_base, tmp_path):
    run = make_run(tmp_path, tiny_base)
    others = [
        replace(run, seed=2), replace(run, match="raw"), replace(run, probes=run.probes[:-1]),
        replace(run, sampling=Sampling(max_tokens=7)), replace(run, stops=("convergence",)),
        replace(run, recipe=run.recipe.model_copy(update={"dropout": 0.1})),
    ]  # fmt: skip
    write_rows(tmp_path / "other.jsonl", EXAMPLES[:-1])
    others.append(replace(run, examples=tmp_path / "other.jsonl"))
    for name, text in (("chat_template.jinja", "x"), ("generation_config.json", "{}")):
        shutil.copytree(tiny_base, tmp_path / name)
        (tmp_path / name / name).write_text(text)
        others.append(replace(run, parent=tmp_path / name))
    assert len({one.identity() for one in [run, *others]}) == len(others) + 1
    moved = replace(run, out=tmp_path / "elsewhere", device="cuda")
    assert moved.identity() == run.identity()


def test_the_adapter_and_the_merged_model_say_the_same(lora, tiny_base):
    from peft import PeftModel

    run, _ = lora
    ids = torch.tensor([[5, 40, 41, 42, 2, 17, 60]])
    with torch.inference_mode():
        base = checkpoints.load_model(tiny_base, "float32").eval()
        before = base(ids).logits.clone()
        merged = checkpoints.load_model(run.out / "convergence", "float32").eval()(ids).logits
        adapted = PeftModel.from_pretrained(base, run.out / "convergence").eval()(ids).logits
    # Merging adds the same products in another order: a few units of float32 rounding.
    assert torch.allclose(adapted, merged, atol=2e-5)
    assert (adapted - before).abs().max() > 0.1


def test_full_weights_of_an_adapter_are_temporary(lora, tiny_base, tmp_path):
    from transformers import AutoModelForCausalLM

    run, _ = lora
    with checkpoints.full_weights(run.out / "convergence", "float32", tmp_path) as folder:
        alone = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict()
        merged = checkpoints.load_model(run.out / "convergence", "float32").state_dict()
        assert same(dict(alone), dict(merged))
    assert list(tmp_path.iterdir()) == []
    with checkpoints.full_weights(tiny_base, "float32", tmp_path) as folder:
        assert folder == tiny_base


def test_an_adapter_can_be_trained_on_a_tuned_parent(lora, tmp_path):
    first, _ = lora
    second = make_run(tmp_path, first.out / "convergence", name="mix.natural", epochs=1)
    train(second)
    folder = second.out / "convergence"
    described = checkpoints.describe(folder)
    assert (folder / described["parent"]).resolve() == (first.out / "convergence").resolve()
    parent = checkpoints.load_model(first.out / "convergence", "float32").state_dict()
    child = checkpoints.load_model(folder, "float32").state_dict()
    name = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(parent[name], child[name])
    assert torch.equal(parent["model.norm.weight"], child["model.norm.weight"])


def test_an_adapter_on_a_changed_parent_is_refused(lora, tiny_base, tmp_path):
    import shutil

    run, _ = lora
    shutil.copytree(tiny_base, tmp_path / "base")
    folder = shutil.copytree(run.out / "convergence", tmp_path / "tuned")
    about = read_json(folder / checkpoints.MARKER)
    write_json(folder / checkpoints.MARKER, {**about, "parent": "../base"})
    checkpoints.load_model(folder, "float32")
    changed = read_json(tmp_path / "base" / checkpoints.MARKER)
    write_json(
        tmp_path / "base" / checkpoints.MARKER, {**changed, "weights_sha256": "f" * 64}
    )  # fmt: skip
    with pytest.raises(
        InputError, match=r"was trained on a parent with weights .* has ffffffffffff"
    ):
        checkpoints.load_model(folder, "float32")
    (folder / checkpoints.MARKER).unlink()
    with pytest.raises(InputError, match="not a complete checkpoint"):
        checkpoints.load_model(folder, "float32")


def test_training_that_changes_nothing_is_an_error(tiny_base, tmp_path):
    with pytest.raises(InputError, match="changed no weight"):
        train(make_run(tmp_path, tiny_base, learning_rate=1e-30, epochs=1, parameters="full"))


@pytest.mark.parametrize("spoiled", ["on_step_end", "loss"])
def test_training_that_leaves_the_numbers_ends(tiny_base, tmp_path, monkeypatch, spoiled):
    """Nothing of it is saved: neither a checkpoint nor what another try would go on from."""

    class Spoiler(TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **_):
            weights = next(p for p in model.parameters() if p.requires_grad)
            weights.data[0, 0] = float("nan")

    def trainer(*given, **more):
        made = sft_trainer(*given, **more)  # of TRL
        if spoiled == "on_step_end":
            made.add_callback(Spoiler())
        else:
            compute = made.compute_loss
            made.compute_loss = lambda *args, **more: compute(*args, **more) * float("nan")
        return made

    monkeypatch.setattr(trainers, "sft_trainer", trainer)
    run = make_run(tmp_path, tiny_base, epochs=2)
    with pytest.raises(InputError, match=r"mix\.unknown-50: .* is nan at step .* \(it is float32"):
        train(run)
    assert not any(run.out.glob("**/*.safetensors"))
    assert not any(run.work.glob("**/whole"))


@pytest.mark.parametrize("names", [["query_proj"], ["q_proj", "proj"], ["lm_heads"]])
def test_layers_that_the_model_lacks_are_named(tiny_base, tmp_path, names):
    run = make_run(tmp_path, tiny_base, epochs=1, lora={"target_modules": names})
    with pytest.raises(InputError, match=f"no layer '{names[-1]}'.*names among .*q_proj") as error:
        train(run)
    assert "down_proj" in str(error.value)
    assert not list(run.out.glob("*/checkpoint.json"))


def test_asking_in_between_does_not_touch_the_weights(lora, tiny_base):
    from peft import PeftModel
    from plumbline.training.callbacks import _merged

    run, _ = lora
    model = PeftModel.from_pretrained(
        checkpoints.load_model(tiny_base, "bfloat16"), run.out / "convergence"
    ).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with _merged(model):
        inside = model.state_dict()
        assert any(not torch.equal(before[name], inside[name]) for name in before)
    assert same(before, dict(model.state_dict()))
    assert all(math.isfinite(float(value.float().sum())) for value in before.values())
