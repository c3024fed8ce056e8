"""Dropout under its many names, and a reference that has none."""

import math

import pytest
import torch
from plumbline.config.training import Recipe
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.records import Example, Message, Pair, Sampling
from plumbline.storage.files import InputError, write_rows
from plumbline.training.dropout import set_dropout
from plumbline.training.run import TrainingRun, train
from tiny import tiny_tokenizer
from transformers import (
    BloomConfig,
    FalconConfig,
    GPT2Config,
    GPTJConfig,
    MixtralConfig,
    MptConfig,
    OPTConfig,
    PhimoeConfig,
)

SIZE = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 32}
EXPERTS = {**SIZE, "num_key_value_heads": 2, "intermediate_size": 32, "num_local_experts": 4,
           "head_dim": 16}  # fmt: skip
# Dropout in numbers on modules, in layers, and read from the configuration; a router's noise.
CONFIGS = {
    "opt": lambda: OPTConfig(**SIZE, word_embed_proj_dim=32, ffn_dim=64, dropout=0.3,
                             attention_dropout=0.3, layerdrop=0.5),
    "gpt2": lambda: GPT2Config(n_embd=32, n_layer=2, n_head=2, resid_pdrop=0.3, embd_pdrop=0.3),
    "gptj": lambda: GPTJConfig(n_embd=32, n_layer=2, n_head=2, rotary_dim=8, attn_pdrop=0.3,
                               resid_pdrop=0.3),
    "bloom": lambda: BloomConfig(hidden_size=32, n_layer=2, n_head=2, hidden_dropout=0.3,
                                 attention_dropout=0.3),
    "falcon": lambda: FalconConfig(**SIZE, hidden_dropout=0.3, attention_dropout=0.3),
    "mpt": lambda: MptConfig(d_model=32, n_layers=2, n_heads=2, max_seq_len=128),
    "mixtral": lambda: MixtralConfig(**EXPERTS, router_jitter_noise=0.5, attention_dropout=0.3,
                                     router_aux_loss_coef=0.5),
    "phimoe": lambda: PhimoeConfig(**EXPERTS, router_aux_loss_coef=0.0, initializer_range=0.5,
                                   router_jitter_noise=0.5),
}  # fmt: skip
RECIPE = {
    "method": "dpo", "learning_rate": 0.01, "max_steps": 2, "global_batch_size": 4,
    "micro_batch_size": 4, "dtype": "float32", "lora": {"rank": 4, "alpha": 8, "dropout": 0.2},
}  # fmt: skip
ATTENTION = {**RECIPE["lora"], "target_modules": ["q_proj", "v_proj"]}


def model_of(name: str):
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = CONFIGS[name]()
    config.vocab_size = len(tiny_tokenizer())
    return AutoModelForCausalLM.from_config(config)


def make_run(root, name: str, folder="dpo", **recipe) -> TrainingRun:
    base = root / "base"
    if not base.exists():
        model_of(name).save_pretrained(root / "source")
        tiny_tokenizer().save_pretrained(root / "source")
        import_model(root / "source", base, "base", dtype="float32")
    pairs = [
        Pair(id=f"p{n}", prompt=[Message(role="user", content=f"capital {n}?")],
             chosen=[Message(role="assistant", content="Rome")],
             rejected=[Message(role="assistant", content="Oslo, yes")])
        for n in range(4)
    ]  # fmt: skip
    write_rows(root / "pairs.jsonl", pairs)
    return TrainingRun(
        name="dpo", examples=root / "pairs.jsonl", parent=base, recipe=Recipe(**RECIPE | recipe),
        stops=("final",), probes=[], sampling=Sampling(max_tokens=6), match="squad", seed=1,
        device="cpu", out=root / folder, work=root / folder / "work",
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(CONFIGS) - {"phimoe"}))
def test_dropout_of_every_kind_is_the_recipes(name):
    model = model_of(name).train()
    ids = torch.arange(5, 45)[None]

    def outcomes(rate):
        set_dropout(model, rate)
        torch.manual_seed(1)
        with torch.no_grad():
            return {float(model(ids).logits.sum()) for _ in range(4)}

    assert len(outcomes(0.0)) == 1
    assert len(outcomes(0.4)) == 4
    assert len(outcomes(0.0)) == 1


@pytest.mark.parametrize("name", ["opt", "gpt2", "bloom", "mixtral"])
def test_preference_training_starts_at_ln_2_and_can_be_repeated(tmp_path, name):
    torch.set_num_threads(1)
    recipe = {"lora": ATTENTION} if name == "mixtral" else {}
    curves = [
        train(make_run(tmp_path, name, folder, **recipe))["curve"] for folder in ("one", "two")
    ]
    assert curves[0] == curves[1]
    assert curves[0][0]["margin"] == pytest.approx(0, abs=1e-5)
    if name != "mixtral":  # which adds its router's own loss
        assert curves[0][0]["loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert curves[0][1]["margin"] > 1e-3


def test_a_recipe_with_dropout_has_a_reference_without(tmp_path, monkeypatch):
    """The reference's log-probabilities are those of the model as it is evaluated."""
    from plumbline.training import run as module

    run = make_run(tmp_path, "opt", dropout=0.3)
    seen = []
    real = module.trainers.dpo_trainer

    def watched(*args, **options):
        trainer = real(*args, **options)

        def note(model, _, output):
            seen.append((torch.is_grad_enabled(), model.training, output.log_probs.detach()))

        trainer.model.base_model.model.register_forward_hook(note)
        return trainer

    monkeypatch.setattr(module.trainers, "dpo_trainer", watched)
    summary = train(run)
    reference = [values for gradient, _, values in seen if not gradient]
    policy = [values for gradient, _, values in seen if gradient]
    assert {training for gradient, training, _ in seen if gradient} == {True}
    assert {training for gradient, training, _ in seen if not gradient} == {False}
    assert len(policy) == 2
    # Two before training (policy and reference of the check), one a step: all the same rows.
    totals = [round(float(values.sum()), 3) for values in reference]
    assert totals == [totals[0]] * 4
    assert abs(float(policy[0].sum()) - totals[0]) > 0.1
    assert len(summary["curve"]) == 2


def test_an_architecture_that_always_draws_at_random_is_refused(tmp_path):
    with pytest.raises(InputError, match="in training the model is random even without dropout"):
        train(make_run(tmp_path, "phimoe", lora=ATTENTION))


def test_experts_that_are_one_tensor_take_no_dropout_in_their_adapter(tmp_path):
    with pytest.raises(InputError, match=r"set lora\.dropout: 0, or name other layers"):
        train(make_run(tmp_path, "mixtral"))


def test_what_was_trained_says_the_dropout_it_was_trained_with(tmp_path):
    run = make_run(tmp_path, "gpt2", method="sft", epochs=1, max_steps=None, parameters="full")
    rows = [Example(id=f"e{n}", prompt=f"capital {n}?", completion=" Rome") for n in range(4)]
    write_rows(run.examples, rows)
    train(run)
    config = checkpoints.load_model(run.out / "final", "float32").config
    assert config.resid_pdrop == config.embd_pdrop == config.attn_pdrop == 0
