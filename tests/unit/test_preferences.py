"""Preference training: the losses, the reference, one step against plain TRL, resuming."""

import hashlib
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from plumbline.config.training import PairedLoss, Recipe
from plumbline.models import checkpoints
from plumbline.records import Message, Pair, Sampling
from plumbline.storage.files import InputError, read_rows, write_rows
from plumbline.training import reference
from plumbline.training.data import load_pairs, unpaired
from plumbline.training.run import TrainingRun, train
from plumbline.training.trainers import dpo_trainer, kto_trainer
from safetensors.torch import load_file, save_file

RECIPE = {
    "method": "dpo", "parameters": "lora", "learning_rate": 0.01, "epochs": 2,
    "global_batch_size": 4, "micro_batch_size": 2, "max_length": 128, "dtype": "float32",
    "lora": {"rank": 8, "alpha": 16, "dropout": 0}, "save_steps": 1,
}  # fmt: skip
LOSSES = PairedLoss.__args__
NEEDED = {"exo_pair": {"label_smoothing": 0.01}, "robust": {"label_smoothing": 0.1}}
SIDES = [("Paris", "Rome and Oslo"), ("Rome", "Oslo"), ("Oslo, yes", "Paris"), ("Rome", "Paris")]


def turn(role, text):
    return [Message(role=role, content=text)]


CHAT = [
    Pair(id=f"p{n}", prompt=turn("user", f"capital {n}?"),
         chosen=turn("assistant", good), rejected=turn("assistant", bad))
    for n, (good, bad) in enumerate([*SIDES, *SIDES])
]  # fmt: skip
PLAIN = [
    Pair(id=f"p{n}", prompt=f"capital {n}?\n", chosen=good, rejected=bad)
    for n, (good, bad) in enumerate([*SIDES, *SIDES])
]


def make_run(root: Path, parent: Path, pairs=CHAT, name="grath.r1", **recipe) -> TrainingRun:
    path = root / "pairs.jsonl"
    if not path.exists():
        write_rows(path, pairs)
    return TrainingRun(
        name=name, examples=path, parent=parent, recipe=Recipe(**{**RECIPE, **recipe}),
        stops=("final",), probes=[], sampling=Sampling(max_tokens=6), match="squad", seed=1,
        device="cpu", out=root / name, work=root / name / "work",
    )  # fmt: skip


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = folder.glob("*.safetensors")
    return load_file(file)


def own_loss(name, chosen, rejected, chosen_ref, rejected_ref, sizes, beta, eps, tau=0.05):
    """Each pair's loss from the four log-probabilities, written down from the losses' papers."""
    w, v = chosen - chosen_ref, rejected - rejected_ref
    h = beta * (w - v)
    a, b = w / sizes[0], v / sizes[1]
    p, q, log, sig = torch.sigmoid(h), torch.sigmoid(-h), F.logsigmoid, torch.sigmoid
    sort = lambda x: x.sort().values  # noqa: E731
    d = {
        "aot": sort(chosen - rejected) - sort(chosen_ref - rejected_ref),
        "aot_unpaired": sort(w) - sort(v),
    }
    cdpo = lambda x: -(1 - eps) * log(beta * x) - eps * log(-beta * x)  # noqa: E731
    return {
        "sigmoid": lambda: -log(h),
        "sigmoid_norm": lambda: -log(beta * (a - b)),
        "hinge": lambda: (1 - h).clamp(min=0),
        "ipo": lambda: (a - b - 1 / (2 * beta)) ** 2,
        "exo_pair": lambda: p * (log(h) - math.log(1 - eps)) + q * (log(-h) - math.log(eps)),
        "nca_pair": lambda: -log(beta * w) - 0.5 * log(-beta * w) - 0.5 * log(-beta * v),
        "robust": lambda: (-(1 - eps) * log(h) + eps * log(-h)) / (1 - 2 * eps),
        "bco_pair": lambda: -log(beta * w) - log(-beta * v),
        "sppo_hard": lambda: (w - 0.5 / beta) ** 2 + (v + 0.5 / beta) ** 2,
        "aot": lambda: cdpo(d["aot"]),
        "aot_unpaired": lambda: cdpo(d["aot_unpaired"]),
        "apo_zero": lambda: 1 - sig(beta * w) + sig(beta * v),
        "apo_down": lambda: sig(beta * w) + 1 - sig(h),
        "discopop": lambda: -log(h) * (1 - sig(h / tau)) + torch.exp(-h) * sig(h / tau),
        "sft": lambda: -chosen.sum() / sizes[0].sum() + 0 * h,
    }[name]()


def log_probabilities(model, pairs):
    """Summed log-probabilities of (chosen, rejected), one sequence at a time."""

    def of(prompt, answer):
        ids = torch.tensor([prompt + answer])
        logp = model(ids).logits.float().log_softmax(-1)[0, :-1]
        logp = logp.gather(1, ids[0, 1:, None])[:, 0]
        return logp[len(prompt) - 1 :].sum()

    return (
        torch.stack([of(pair.prompt_ids, pair.chosen_ids) for pair in pairs]),
        torch.stack([of(pair.prompt_ids, pair.rejected_ids) for pair in pairs]),
    )  # fmt: skip


def moved(model, by=0.02):
    """Another policy than the reference, so that no loss is at its starting point."""
    torch.manual_seed(3)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(by * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("loss", [*LOSSES, {"sigmoid": 0.8, "sft": 0.3}])
def test_every_loss_is_the_papers(tiny_base, tmp_path, loss):
    torch.set_num_threads(1)
    names = loss if isinstance(loss, dict) else {loss: 1.0}
    options = NEEDED.get(loss, {}) if isinstance(loss, str) else {}
    run = make_run(tmp_path, tiny_base, loss=loss, beta=0.3, **options)
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    pairs, _ = load_pairs(run.examples, tokenizer, 128)
    trainer = dpo_trainer(run.recipe, pairs, tokenizer, **run.where)
    model = moved(trainer.model).eval()
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(len(pairs))])
    with torch.no_grad():
        found = trainer.compute_loss(trainer.model, batch)
        chosen, rejected = log_probabilities(model, pairs)
        with model.disable_adapter():
            chosen_ref, rejected_ref = log_probabilities(model, pairs)
    assert (chosen - chosen_ref).abs().max() > 0.05
    sizes = [torch.tensor([float(len(ids)) for ids in side]) for side in zip(
        *((pair.chosen_ids, pair.rejected_ids) for pair in pairs), strict=True)]  # fmt: skip
    expected = sum(
        weight * own_loss(name, chosen, rejected, chosen_ref, rejected_ref, sizes, 0.3,
                          options.get("label_smoothing", 0)).mean()
        for name, weight in names.items()
    )  # fmt: skip
    assert float(found) == pytest.approx(float(expected), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("pairs", [CHAT, PLAIN], ids=["chat", "plain"])
def test_one_step_is_one_step_of_plain_trl(tiny_base, tmp_path, pairs):
    from datasets import Dataset
    from peft import LoraConfig
    from trl import DPOConfig, DPOTrainer

    torch.set_num_threads(1)
    run = make_run(tmp_path, tiny_base, pairs, epochs=None, max_steps=1, global_batch_size=8,
                   micro_batch_size=4, beta=0.2)  # fmt: skip
    summary = train(run)
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    # What follows an answer's end is not learnt here, and TRL learns all that a template writes.
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "'<|im_end|>' + '\n'",
        "'<|im_end|>' + ('' if loop.last and not add_generation_prompt else '\n')",
    )
    plain = DPOTrainer(
        model=checkpoints.load_model(tiny_base, "float32"),
        args=DPOConfig(
            output_dir=str(tmp_path / "plain"), per_device_train_batch_size=4,
            gradient_accumulation_steps=2, max_steps=1, learning_rate=0.01, beta=0.2, seed=1,
            data_seed=1, lr_scheduler_type="constant", bf16=False, use_cpu=True, report_to=[],
            gradient_checkpointing=False, logging_steps=1, save_strategy="no",
        ),
        train_dataset=Dataset.from_list([pair.model_dump(exclude={"id"}) for pair in pairs]),
        processing_class=tokenizer,
        peft_config=LoraConfig(r=8, lora_alpha=16, lora_dropout=0, target_modules="all-linear",
                               bias="none", task_type="CAUSAL_LM"),
    )  # fmt: skip
    plain.train()
    plain.model.save_pretrained(tmp_path / "plain" / "adapter")
    ours, theirs = weights(run.out / "final"), weights(tmp_path / "plain" / "adapter")
    assert ours.keys() == theirs.keys()
    for name in ours:  # Adam divides a gradient by its size, and so shows the rounding of tiny ones
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-5, rtol=1e-4)
    assert summary["curve"][0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert any(value.any() for name, value in ours.items() if "lora_B" in name)


def test_pairs_are_learned_and_the_curve_says_so(tiny_base, tmp_path):
    run = make_run(tmp_path, tiny_base, epochs=8)
    summary = train(run)
    curve = summary["curve"]
    assert [row["step"] for row in curve] == list(range(1, 17))
    assert curve[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert curve[-1]["loss"] < 0.9 * math.log(2)
    assert curve[-1]["margin"] > curve[0]["margin"] == pytest.approx(0, abs=1e-4)
    assert curve[-1]["accuracy"] == 1
    assert summary["steps"] == 16 and summary["examples"] == 8
    assert summary["stops"]["final"]["merge_difference"] < checkpoints.MERGE_TOLERANCE
    described = checkpoints.describe(run.out / "final")
    assert (described["name"], described["kind"]) == ("grath.r1", "adapter")


@pytest.mark.parametrize("order", ["file", "shuffled"])
def test_the_files_order_is_kept_if_asked_for(tiny_base, tmp_path, order):
    run = make_run(tmp_path, tiny_base, order=order)
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    pairs, _ = load_pairs(run.examples, tokenizer, 128)
    trainer = dpo_trainer(run.recipe, pairs, tokenizer, **run.where)
    seen = [
        tokenizer.decode(ids).split("capital ")[1][0]
        for batch in trainer.get_train_dataloader()
        for ids in batch["input_ids"][: len(batch["input_ids"]) // 2]
    ]
    assert sorted(seen) == list("01234567")
    assert (seen == sorted(seen)) == (order == "file")


def with_reference(run: TrainingRun, checkpoint: Path) -> TrainingRun:
    tokenizer = checkpoints.load_tokenizer(checkpoint)
    pairs, _ = load_pairs(run.examples, tokenizer, run.recipe.max_length)
    path = run.out.parent / "reference.jsonl"
    write_rows(path, reference.compute(pairs, checkpoint, precision=run.recipe.precision, device="cpu",
                                       threads=1, batch_tokens=256))  # fmt: skip
    return replace(run, reference=(path, checkpoint))


def test_a_stored_reference_of_the_parent_is_the_moving_one(tiny_base, tmp_path):
    moving = make_run(tmp_path, tiny_base)
    fixed = with_reference(make_run(tmp_path, tiny_base, name="fixed"), tiny_base)
    one, other = train(moving), train(fixed)
    for first, second in zip(one["curve"], other["curve"], strict=True):
        assert first["loss"] == pytest.approx(second["loss"], abs=1e-4)
    mine, theirs = weights(moving.out / "final"), weights(fixed.out / "final")
    for name in mine:
        torch.testing.assert_close(mine[name], theirs[name], atol=2e-3, rtol=0.05)


def test_full_training_starts_from_its_stored_parent(tiny_base, tmp_path):
    run = make_run(tmp_path, tiny_base, parameters="full", learning_rate=0.001)
    summary = train(with_reference(run, tiny_base))
    assert summary["curve"][0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert checkpoints.describe(run.out / "final")["kind"] == "full"


def test_the_second_rounds_reference(tiny_base, tmp_path):
    """It is ln 2 again under a moving reference; under the first model, the lead is there at once."""
    first = make_run(tmp_path, tiny_base, epochs=8)
    train(first)
    parent = first.out / "final"
    second = train(make_run(tmp_path, parent, name="grath.r2"))
    assert second["curve"][0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    fixed = train(with_reference(make_run(tmp_path, parent, name="fixed"), tiny_base))
    assert fixed["curve"][0]["loss"] < 0.9 * math.log(2)


def test_a_wrong_reference_is_noticed(tiny_base, tmp_path):
    run = with_reference(make_run(tmp_path, tiny_base), tiny_base)
    path, _ = run.reference
    rows = list(read_rows(path, reference.Reference))
    write_rows(path, [row.model_copy(update={"chosen": row.chosen - 5}) for row in rows])
    with pytest.raises(InputError, match=r"before the first update is .*ln 2 = 0.6931"):
        train(run)
    write_rows(path, [row.model_copy(update={"pair": "0" * 16}) for row in rows])
    with pytest.raises(InputError, match="pair p0 is a different one there"):
        train(run)
    write_rows(path, rows[:-1])
    with pytest.raises(InputError, match="pair p7 is missing"):
        train(run)
    write_rows(path, [row.model_copy(update={"weights": "f" * 64}) for row in rows])
    with pytest.raises(InputError, match="computed with weights ffffffffffff"):
        train(run)


def test_kto_takes_the_pairs_apart(tiny_base, tmp_path):
    run = make_run(tmp_path, tiny_base, method="kto", epochs=4, beta=0.3)
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    pairs, _ = load_pairs(run.examples, tokenizer, 128)
    rows = unpaired(pairs[1:], seed=1)
    assert len(rows) == 14 and sum(row["label"] for row in rows) == 7
    wanted = sorted((p.prompt_ids, p.chosen_ids) for p in pairs[1:])
    found = sorted((row["prompt_ids"], row["completion_ids"]) for row in rows if row["label"])
    assert found == wanted
    assert rows != unpaired(pairs[1:], seed=2)
    trainer = kto_trainer(run.recipe, pairs[1:], tokenizer, **run.where)
    one, other = (trainer.train_dataset[n] for n in range(2))  # of one forward pass
    assert one["completion_ids"][-1] == tokenizer.eos_token_id
    assert one["KL_completion_ids"] == other["completion_ids"]
    assert other["KL_completion_ids"] == one["completion_ids"]
    summary = train(run)
    assert summary["steps"] == 4 * 16 // 4
    assert summary["curve"][-1]["loss"] < summary["curve"][0]["loss"]


def test_the_reference_of_all_parameters_is_the_parent_with_its_adapter(tiny_base, tmp_path):
    from peft import LoraConfig, get_peft_model

    tokenizer = checkpoints.load_tokenizer(tiny_base)
    adapter = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False)
    model = get_peft_model(checkpoints.load_model(tiny_base, "float32"), adapter)
    parent = tmp_path / "parent"
    checkpoints.write_adapter(parent, "parent", tiny_base, model.save_pretrained, tokenizer)
    run = make_run(tmp_path, parent, method="kto", parameters="full")
    pairs, _ = load_pairs(run.examples, tokenizer, 128)
    trainer = kto_trainer(run.recipe, pairs, tokenizer, **run.where)
    found = trainer.accelerator.unwrap_model(trainer.ref_model).state_dict()
    for folder, same in ((parent, True), (tiny_base, False)):
        wanted = checkpoints.load_model(folder, "float32").state_dict()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted) is same


def test_what_cannot_be_trained_on(tiny_base, tmp_path):
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    path = tmp_path / "pairs.jsonl"

    def pair(name, chosen, rejected, prompt="x"):
        return Pair(id=name, prompt=prompt, chosen=chosen, rejected=rejected)

    write_rows(path, [pair("a", "yes", "no"), pair("b", "same", "same"), pair("c", "y" * 99, "n")])
    pairs, dropped = load_pairs(path, tokenizer, 64)
    assert [one.id for one in pairs] == ["a"]
    assert dropped == {"equal_sides": 1, "too_long": 1}
    assert tokenizer.decode(pairs[0].chosen_ids) == "yes<|im_end|>"
    assert tokenizer.decode(pairs[0].rejected_ids) == "no<|im_end|>"
    for row, message in (
        (pair("d", " ", "no"), "d: chosen is empty"),
        (pair("d", "yes", ""), "d: rejected is empty"),
        (pair("d", "same", "same"), "equal in every pair"),
        (pair("d", "y" * 99, "n"), "none of 1 examples fits max_length 64"),
        (pair("d", turn("assistant", "y"), "n"), "d: prompt and chosen are of two kinds"),
    ):
        write_rows(path, [row])
        with pytest.raises(InputError, match=message):
            load_pairs(path, tokenizer, 64)
    path.write_text('{"id": "e", "prompt": "x", "chosen": "y"}\n')
    with pytest.raises(InputError, match="line 1: rejected: Field required"):
        load_pairs(path, tokenizer, 64)


def test_exactly_max_length_fits(tiny_base, tmp_path):
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    path = tmp_path / "pairs.jsonl"
    write_rows(path, CHAT[:1])
    (pair,), _ = load_pairs(path, tokenizer, 500)
    assert tokenizer.decode(pair.prompt_ids).endswith("<|im_start|>assistant\n")
    assert len(load_pairs(path, tokenizer, pair.length)[0]) == 1
    with pytest.raises(InputError, match="fits max_length"):
        load_pairs(path, tokenizer, pair.length - 1)


PROGRAM = """
import os, signal, sys
from pathlib import Path
import torch
from plumbline.training import callbacks, run as module
from test_preferences import make_run
torch.set_num_threads(1)
real = callbacks.Start.on_log
def deadly(self, args, state, control, **rest):
    real(self, args, state, control, **rest)
    if state.global_step == 6:
        os.kill(os.getpid(), signal.SIGKILL)
callbacks.Start.on_log = deadly
module.train(make_run(Path(sys.argv[1]), Path(sys.argv[2]), epochs=5, save_steps=2))
"""


def test_a_killed_run_ends_as_if_it_had_not_been_killed(tiny_base, tmp_path, caplog):
    torch.set_num_threads(1)
    whole = make_run(tmp_path / "whole", tiny_base, epochs=5, save_steps=2)
    expected = train(whole)
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), *sys.path]))
    (tmp_path / "killed").mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "killed"), str(tiny_base)],
        env={**os.environ, "PYTHONPATH": path}, check=False, capture_output=True,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    run = make_run(tmp_path / "killed", tiny_base, epochs=5, save_steps=2)
    caplog.set_level("INFO", logger="plumbline")
    summary = train(run)
    assert "going on after step 4" in caplog.text
    assert summary == expected
    mine, theirs = weights(run.out / "final"), weights(whole.out / "final")
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_an_adapter_of_another_base_or_of_nothing_is_refused(tiny_base, tmp_path):
    from plumbline.storage.files import read_json, sha256_file, write_json

    run = make_run(tmp_path, tiny_base, epochs=1)
    train(run)
    folder = run.out / "final"
    note = folder / "adapter_config.json"
    settings = read_json(note)
    assert settings["base_model_name_or_path"] == "base"
    write_json(note, {**settings, "base_model_name_or_path": "somewhere/else"})
    with pytest.raises(InputError, match=r"somewhere/else.*the parent is 'base'"):
        checkpoints.load_model(folder, "float32")
    write_json(note, settings)
    assert 0 <= checkpoints.check_merge(folder, [[50, 51, 52]]) < checkpoints.MERGE_TOLERANCE
    zero = {name: torch.zeros_like(value) for name, value in weights(folder).items()}
    save_file(zero, folder / "adapter_model.safetensors")
    with pytest.raises(InputError, match="not the weights that were saved"):
        checkpoints.load_model(folder, "float32")
    marker = folder / "checkpoint.json"
    parent = checkpoints.describe(tiny_base)["weights_sha256"]
    digest = hashlib.sha256((parent + sha256_file(folder / "adapter_model.safetensors")).encode())
    write_json(marker, {**read_json(marker), "weights_sha256": digest.hexdigest()})
    with pytest.raises(InputError, match="the adapter is zero"):
        checkpoints.check_merge(folder, [[50, 51, 52]])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"max_steps": 3}, "exactly one of epochs and max_steps"),
        ({"method": "sft", "loss": "ipo"}, "loss: only for method dpo"),
        ({"method": "kto", "reference": {"fixed": "base"}}, "reference: only for method dpo"),
        ({"loss": "exo_pair"}, "exo_pair needs label_smoothing"),
        ({"label_smoothing": 0.1}, "label_smoothing: not used by sigmoid"),
        ({"loss": {}}, "names no loss"),
        ({"loss": "sigmoids"}, "sigmoid_norm"),
    ],
)  # fmt: skip
def test_recipes_that_cannot_be(keys, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{**RECIPE, **keys})
