"""Memory, kernels and optimizers of a training: what they do, what they leave as it is."""

import os
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest
import torch
from plumbline.config.training import Recipe, Training
from plumbline.models import checkpoints
from plumbline.storage.files import InputError
from plumbline.training import options
from plumbline.training.data import load_examples
from plumbline.training.run import train
from plumbline.training.trainers import sft_trainer
from test_training import RECIPE, make_run, same, weights
from transformers.models.llama import modeling_llama


def recipe(**keys) -> Recipe:
    return Recipe(**{**RECIPE, **keys})


def trainer(run, **settings):
    tokenizer = checkpoints.load_tokenizer(run.parent)
    rows, _ = load_examples(run.examples, tokenizer, 64)
    return sft_trainer(
        run.recipe, rows, tokenizer, **{**run.where, "settings": Training(**settings)}
    )


@pytest.mark.parametrize("parameters", ["lora", "full"])
def test_activations_computed_twice_teach_the_same(tiny_base, tmp_path, monkeypatch, parameters):
    """With dropout, whose masks are the same both times."""
    torch.set_num_threads(1)
    passes = [0]
    forward = modeling_llama.LlamaMLP.forward

    def counted(self, hidden):
        passes[0] += torch.is_grad_enabled()
        return forward(self, hidden)

    monkeypatch.setattr(modeling_llama.LlamaMLP, "forward", counted)
    keys = {"parameters": parameters, "learning_rate": 0.003, "epochs": 1, "dropout": 0.2}
    found = []
    for kept in (True, False):
        (tmp_path / str(kept)).mkdir()
        run = make_run(tmp_path / str(kept), tiny_base, **keys)
        run = replace(run, probes=[], stops=("final",))
        passes[0] = 0
        train(replace(run, settings=Training(gradient_checkpointing=not kept)))
        found.append((passes[0], weights(run.out / "final")))
    (once, kept), (twice, again) = found
    assert twice == 2 * once > 0
    assert same(kept, again)


def test_large_models_compute_them_twice_unless_told(tiny_base, tmp_path, monkeypatch):
    run = make_run(tmp_path, tiny_base)
    assert not trainer(run).args.gradient_checkpointing
    monkeypatch.setattr(options, "LARGE", 1000)
    assert trainer(run).args.gradient_checkpointing
    assert not trainer(run, gradient_checkpointing=False).args.gradient_checkpointing
    monkeypatch.setattr(
        modeling_llama.LlamaPreTrainedModel, "supports_gradient_checkpointing", False
    )
    assert not trainer(run).args.gradient_checkpointing
    with pytest.raises(InputError, match="gradient_checkpointing: llama does not support it"):
        trainer(run, gradient_checkpointing=True)


@pytest.mark.parametrize(
    ("keys", "settings", "message"),
    [
        ({"parameters": "qlora"}, {}, "qlora needs the package bitsandbytes.*or set lora"),
        ({"optimizer": "adamw_8bit"}, {}, "adamw_8bit needs the package bitsandbytes.*set adamw"),
        ({}, {"paged_optimizer": True}, "paged_optimizer: true needs the package bitsandbytes"),
        ({}, {"attention": "flash_attention_2"}, "flash_attention_2 needs .* flash_attn.*set sdpa"),
        ({}, {"liger": True}, "liger: true needs the package liger_kernel.*set false"),
    ],
)
def test_what_is_not_installed_is_refused_in_a_line(monkeypatch, keys, settings, message):
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=message) as refused:
        options.check(recipe(**keys), Training(**settings))
    assert "\n" not in str(refused.value)
    options.check(recipe(), Training())
    monkeypatch.setattr(options, "find_spec", lambda name: name)
    options.check(recipe(**keys), Training(**settings))


def test_the_optimizers_are_trls(tiny_base, tmp_path):
    from transformers.training_args import OptimizerNames

    assert set(options.OPTIMIZERS.values()) <= {name.value for name in OptimizerNames}
    made = trainer(make_run(tmp_path, tiny_base))
    made.create_optimizer()
    assert type(made.optimizer) is torch.optim.AdamW and made.optimizer.defaults["fused"]


@pytest.mark.parametrize(
    ("shared", "dtype", "given"),
    [(True, "bfloat16", True), (True, "float32", False), (False, "bfloat16", False)],
)
def test_gradients_of_shared_weights_are_added_up_in_float32(shared, dtype, given):
    plugin = SimpleNamespace(mixed_precision_policy=None)
    state = SimpleNamespace(fsdp_plugin=plugin)
    made = SimpleNamespace(is_fsdp_enabled=shared, accelerator=SimpleNamespace(state=state))
    options.share_in_two_precisions(made, recipe(parameters="full", dtype=dtype))
    policy = plugin.mixed_precision_policy
    assert bool(policy) == given
    if given:
        assert (policy.param_dtype, policy.reduce_dtype) == (torch.bfloat16, torch.float32)
        assert policy.output_dtype is None


@pytest.mark.parametrize("paged", [False, True])
def test_an_optimizer_with_states_in_8_bits_trains(tiny_base, tmp_path, paged):
    pytest.importorskip("bitsandbytes")
    keys = {"parameters": "full", "learning_rate": 0.003, "optimizer": "adamw_8bit"}
    run = replace(make_run(tmp_path, tiny_base, **keys), probes=[], stops=("final",))
    made = trainer(run, paged_optimizer=paged)
    made.train()
    states = made.optimizer.state.values()
    assert torch.uint8 in {state["state1"].dtype for state in states}
    losses = [row["loss"] for row in made.state.log_history if "loss" in row]
    assert losses[-1] < losses[0]


def stand_in(monkeypatch, kinds: set[str]) -> list:
    """A package of kernels for some kinds of models; returns what it is asked for."""
    asked = []
    package = ModuleType("liger_kernel")
    package.transformers = ModuleType("liger_kernel.transformers")
    patches = ModuleType("liger_kernel.transformers.monkey_patch")
    patches.MODEL_TYPE_TO_APPLY_LIGER_FN = dict.fromkeys(kinds)
    package.transformers._apply_liger_kernel_to_instance = lambda **keys: asked.append(keys)
    for module in (package, package.transformers, patches):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("transformers.integrations.liger.is_liger_kernel_available", lambda: True)
    return asked


def test_fused_kernels_leave_the_loss_alone(tiny_base, tmp_path, monkeypatch):
    asked = stand_in(monkeypatch, {"llama"})
    made = trainer(make_run(tmp_path, tiny_base), liger=True)
    assert asked == [
        {
            "model": made.model.get_base_model(),
            "cross_entropy": False,
            "fused_linear_cross_entropy": False,
        }
    ]


def test_a_model_without_fused_kernels_is_refused(tiny_base, tmp_path, monkeypatch):
    asked = stand_in(monkeypatch, {"qwen3"})
    with pytest.raises(
        InputError, match=r"training.liger: Liger has no kernels for llama; set false"
    ):
        trainer(make_run(tmp_path, tiny_base), liger=True)
    assert asked == []


def test_flash_attention_is_put_in_last_and_taken_out_to_answer(tiny_base, tmp_path, monkeypatch):
    chosen = []

    def choose(model, name):
        chosen.append(name)
        model.config._attn_implementation_internal = name

    monkeypatch.setattr(modeling_llama.LlamaForCausalLM, "set_attn_implementation", choose)
    flash = {"attention": options.FLASH}
    with pytest.raises(InputError, match="reads 16 bits only"):
        trainer(make_run(tmp_path, tiny_base), **flash)
    run = make_run(tmp_path, tiny_base, parameters="full", dtype="bfloat16")
    model = trainer(run, **flash).model
    with options.any_attention(model):
        assert model.config._attn_implementation == "sdpa"
    assert model.config._attn_implementation == options.FLASH
    assert chosen == [options.FLASH, "sdpa", options.FLASH]


def test_a_device_or_model_without_flash_attention_is_refused_in_a_line(tiny_base, tmp_path):
    """As transformers sees it: the package is not there."""
    run = make_run(tmp_path, tiny_base, parameters="full", dtype="bfloat16")
    with pytest.raises(InputError, match=r"training.attention: flash_attention_2: .* Set sdpa"):
        trainer(run, attention=options.FLASH)


def test_curves_are_shown_where_the_settings_say(tiny_base, tmp_path, monkeypatch):
    """By a tracker that is written down here: nothing of the result depends on it."""
    from transformers import TrainerCallback
    from transformers.integrations import integration_utils

    told = []

    class Tracker(TrainerCallback):
        def on_log(self, args, state, control, logs, **more):
            told.append((args.run_name, logs))

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "trackio", Tracker)
    found = []
    for tracker in ("none", "trackio"):
        (tmp_path / tracker).mkdir()
        run = replace(make_run(tmp_path / tracker, tiny_base), probes=[], stops=("final",))
        with_it = replace(run, settings=Training(report_to=tracker))
        assert with_it.identity() == run.identity()
        train(with_it)
        assert bool(told) == (tracker == "trackio")
        found.append(weights(run.out / "final"))
    assert same(*found)
    names, logs = zip(*told, strict=True)
    assert set(names) == {run.out.as_posix()} and any("loss" in one for one in logs)


@pytest.mark.parametrize("tracker", ["trackio", "wandb", "tensorboard"])
def test_a_tracker_that_is_not_installed_is_refused_in_a_line(tracker, monkeypatch):
    monkeypatch.setattr(options, "find_spec", lambda package: None)
    with pytest.raises(InputError) as told:
        options.check(recipe(), Training(report_to=tracker))
    message = str(told.value)
    assert message.startswith(f"training.report_to: {tracker} needs the package {tracker}, which")
    assert "or set none" in message and "\n" not in message
    options.check(recipe(), Training())


def test_trackers_are_told_where_to_write(tmp_path, monkeypatch):
    for name in ("TENSORBOARD_LOGGING_DIR", "WANDB_DIR", "WANDB_PROJECT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    assert options.tracking(Training(), tmp_path) == {"report_to": []}
    assert "WANDB_DIR" not in os.environ
    made = options.tracking(Training(report_to="tensorboard"), tmp_path)
    assert (made["report_to"], made["run_name"]) == (["tensorboard"], tmp_path.as_posix())
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == str(tmp_path / "runs")
    assert os.environ["WANDB_DIR"] == str(tmp_path) and os.environ["WANDB_PROJECT"] == "plumbline"
