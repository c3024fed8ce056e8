"""Which weights a model folder may hold: all of the model's, and nothing that would be dropped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from plumbline.models.importing import import_model
from plumbline.storage.files import InputError, read_json
from safetensors.torch import load_file, save_file
from tiny import tiny_tokenizer

LAYER = "model.layers.0.self_attn"


def add(folder: Path, **tensors) -> None:
    """Add weights to those of a folder."""
    file = folder / "model.safetensors"
    save_file({**load_file(file), **tensors}, file, metadata={"format": "pt"})


def refused(folder: Path, complaint: str) -> None:
    out = folder.parent / "out"
    with pytest.raises(InputError, match=complaint) as caught:
        import_model(folder, out, "base", dtype="float32")
    assert "\n" not in str(caught.value)
    assert not out.exists()


def assert_imported(folder: Path, original: Path) -> None:
    out = folder.parent / "out"
    import_model(folder, out, "base", dtype="float32")
    expected, found = (load_file(one / "model.safetensors") for one in (original, out))
    assert expected.keys() == found.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())


def lora(folder: Path, out: Path) -> Path:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    adapter = get_peft_model(
        AutoModelForCausalLM.from_pretrained(folder), LoraConfig(target_modules=["q_proj"])
    )
    adapter.save_pretrained(out)
    return out


# --- weights that fit nowhere ---------------------------------------------------------------------


def test_a_reward_model_is_refused_and_its_head_named(original, tmp_path):
    from transformers import LlamaConfig, LlamaForSequenceClassification

    config = LlamaConfig.from_pretrained(original, num_labels=1)
    LlamaForSequenceClassification(config).save_pretrained(tmp_path / "model")
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    refused(tmp_path / "model", r"1 of its weights fit nowhere.*score\.weight.*reward model")


@pytest.mark.parametrize("kind", ["Bert", "Roberta"])
def test_an_encoder_is_refused_unless_its_config_makes_a_decoder_of_it(model, kind):
    import transformers

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 32, "vocab_size": len(tiny_tokenizer(["Paris"]))}
    config = getattr(transformers, f"{kind}Config")(**sizes)
    getattr(transformers, f"{kind}ForMaskedLM")(config).save_pretrained(model)
    refused(model, f"{kind.lower()}, is_decoder: false.* an encoder")

    config.is_decoder = True
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(model)
    import_model(model, model.parent / "out", "base", dtype="float32")


def test_weights_of_another_shape_are_named(model):
    add(model, **{"model.norm.weight": torch.ones(32)})
    refused(
        model, r"1 of its weights have another shape.*model\.norm\.weight: \[32\], expected \[64\]"
    )


@pytest.mark.parametrize(
    "extra",
    [
        {f"{LAYER}.{name}_proj.bias": torch.ones(64 if name == "q" else 32) for name in "qkv"},
        {"v_head.summary.weight": torch.ones(1, 64)},  # as TRL's value heads are called
        {"model.layers.2.mlp.up_proj.weight": torch.ones(128, 64)},  # more layers than the config
    ],
    ids=["biases", "value head", "layers"],
)
def test_weights_that_fit_nowhere_are_refused_and_named(model, extra):
    add(model, **extra)
    refused(model, f"{len(extra)} of its weights fit nowhere in a LlamaForCausalLM, among them ")


def test_what_follows_from_the_config_may_lie_beside_the_weights(model, original):
    mask = torch.ones(1, 1, 8, 8)
    add(
        model,
        **{
            f"{LAYER}.rotary_emb.inv_freq": torch.ones(16),
            f"{LAYER}.inv_freq": torch.ones(16),
            f"{LAYER}.bias": mask,
            f"{LAYER}.masked_bias": torch.tensor(-1e4),
            "model.position_ids": torch.arange(8)[None],
            "rope.freqs": torch.ones(16),
        },
    )
    assert_imported(model, original)


def test_gpt2_with_the_masks_that_old_versions_saved(tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = tiny_tokenizer()
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=1, n_positions=64, eos_token_id=2
    )
    for name in ("clean", "model"):
        GPT2LMHeadModel(config).save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
    shutil.copy(tmp_path / "clean/model.safetensors", tmp_path / "model/model.safetensors")
    attention = "transformer.h.0.attn"
    add(
        tmp_path / "model",
        **{
            f"{attention}.bias": torch.ones(1, 1, 64, 64),
            f"{attention}.masked_bias": torch.tensor(-1e4),
        },
    )
    assert_imported(tmp_path / "model", tmp_path / "clean")


def test_a_tied_head_that_was_saved_twice_is_one(model, original):
    embeddings = load_file(model / "model.safetensors")["model.embed_tokens.weight"]
    add(model, **{"lm_head.weight": embeddings.clone()})
    assert_imported(model, original)


def test_another_head_than_the_tied_one_is_refused_unless_the_config_says_so(model):
    embeddings = load_file(model / "model.safetensors")["model.embed_tokens.weight"]
    add(model, **{"lm_head.weight": embeddings + 1})
    refused(model, "ties the output layer.*tie_word_embeddings to false")
    config = read_json(model / "config.json")
    (model / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    import_model(model, model.parent / "out", "base", dtype="float32")
    found = load_file(model.parent / "out/model.safetensors")
    assert torch.equal(found["lm_head.weight"], embeddings + 1)


# --- more in the folder than one model ------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False], ids=["adapter", "its config alone"])
def test_a_model_and_an_adapter_in_one_folder_are_refused(model, original, tmp_path, whole):
    adapter = lora(original, tmp_path / "adapter")
    shutil.copy(adapter / "adapter_config.json", model)
    if whole:
        shutil.copy(adapter / "adapter_model.safetensors", model)
    refused(model, "a model and an adapter.*Move the adapter out")


def test_an_adapter_alone_is_refused(original, tmp_path):
    adapter = lora(original, tmp_path / "adapter")
    refused(adapter, r"no config\.json\. It is a LoRA adapter; merge")
    shutil.copy(original / "config.json", adapter)
    refused(adapter, "a model and an adapter")


def test_weights_of_other_forms_beside_the_models_own_are_left_alone(model, original):
    save_file({"tok_embeddings.weight": torch.ones(3, 3)}, model / "consolidated.safetensors")
    save_file({"model.norm.weight": torch.ones(64)}, model / "adapter_model.safetensors")
    (model / "pytorch_model.bin").write_bytes(b"pickled")
    (model / "tiny.gguf").write_bytes(b"GGUF")
    assert_imported(model, original)


def test_shards_are_those_that_the_index_names(model, original):
    from transformers import AutoModelForCausalLM

    sharded = AutoModelForCausalLM.from_pretrained(model)
    (model / "model.safetensors").rename(model / "model-00009-of-00009.safetensors")  # an old one
    sharded.save_pretrained(model.parent / "shards", max_shard_size="100KB")
    shards = sorted((model.parent / "shards").glob("model*"))
    assert len(shards) > 2
    for file in shards:
        shutil.copy(file, model)
    assert_imported(model, original)
    shutil.rmtree(model.parent / "out")
    (model / shards[0].name).unlink()
    refused(model, "cannot be loaded")


def test_two_sets_of_weights_are_refused(model):
    (model / "model.safetensors.index.json").write_text("{}")
    refused(model, "holds its weights twice")


def test_a_folder_with_gguf_alone_says_which_file_to_name(model):
    (model / "model.safetensors").rename(model / "tiny-Q8.gguf")
    refused(model, r"Name the file: tiny-Q8\.gguf")
