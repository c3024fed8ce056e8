from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tokenizers
import torch
import transformers
from plumbline.models.importing import (
    MARKER,
    import_model,
    new_folder,
    settle_tokenizer,
    tokenizer_digest,
    weights_digest,
)
from plumbline.storage.files import InputError, read_json
from tiny import tiny_model, tiny_tokenizer


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"), ["Paris", "France"])


@pytest.fixture
def model(original, tmp_path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(original, tmp_path / "model")


def edit(path: Path, **changes) -> None:
    content = json.loads(path.read_text()) if path.exists() else {}
    content |= changes
    path.write_text(json.dumps({key: v for key, v in content.items() if v is not None}))


def load(folder: Path):
    return (
        transformers.AutoModelForCausalLM.from_pretrained(folder),
        transformers.AutoTokenizer.from_pretrained(folder),
    )


# --- importing ----------------------------------------------------------------------------------


def test_a_folder_becomes_a_checkpoint(original, tmp_path):
    marker = import_model(original, tmp_path / "out", "base", source="file:tiny")
    assert marker == read_json(tmp_path / "out" / MARKER)
    assert marker["weights_sha256"] == weights_digest(tmp_path / "out")
    expected = {
        "name": "base",
        "parent": None,
        "kind": "full",
        "dtype": "bfloat16",
        "source": "file:tiny",
        "eos_token": "<|im_end|>",
        "pad_token": "<|pad|>",
    }
    assert marker.items() >= expected.items()
    before, after = load(original)[0], load(tmp_path / "out")[0]
    assert marker["parameters"] == sum(p.numel() for p in before.parameters())
    assert after.dtype == torch.bfloat16
    assert after.lm_head.weight is after.model.embed_tokens.weight
    for name, tensor in before.state_dict().items():
        assert torch.equal(tensor.bfloat16(), after.state_dict()[name]), name
    again = import_model(original, tmp_path / "again", "base", source="file:tiny")
    assert again == marker
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "out"]


def test_a_models_own_sampling_defaults_are_left_behind_but_not_its_end_tokens(model, tmp_path):
    edit(
        model / "generation_config.json",
        do_sample=False,
        temperature=0.6,  # contradicts do_sample: saving this as it is would fail
        eos_token_id=[2, 0],
    )
    import_model(model, tmp_path / "out", "base")
    config = read_json(tmp_path / "out/generation_config.json")
    assert "temperature" not in config
    assert config["eos_token_id"] == [2, 0]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda m: (m / "model.safetensors").rename(m / "pytorch_model.bin"), "can run code"),
        (lambda m: (m / "model.safetensors").unlink(), "no weights"),
        (lambda m: (m / "config.json").rename(m / "adapter_config.json"), "merge it"),
        (lambda m: edit(m / "config.json", auto_map={"AutoConfig": "x.Y"}), "trust_remote_code"),
        (lambda m: edit(m / "tokenizer_config.json", eos_token=None), "no EOS token"),
        (lambda m: edit(m / "config.json", model_type="unheard-of"), "cannot be loaded"),
        (lambda m: (m / "model.safetensors").write_bytes(b"\x10" + bytes(50)), "cannot be loaded"),
        (lambda m: edit(m / "config.json", num_hidden_layers=3), "9 of .* are missing.*layers.2"),
        (lambda m: edit(m / "config.json", intermediate_size=96), "another shape.*mlp"),
        (lambda m: (m / "tokenizer.json").write_text("{"), "cannot be loaded"),
    ],
)
def test_what_cannot_be_imported_leaves_nothing(model, tmp_path, spoil, complaint):
    spoil(model)
    with pytest.raises(InputError, match=complaint):
        import_model(model, tmp_path / "out", "base")
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(("value", "dtype"), [(float("nan"), "float32"), (-70_000.0, "float16")])
def test_weights_that_are_no_numbers(model, tmp_path, value, dtype):
    from safetensors.torch import load_file, save_file

    path = model / "model.safetensors"
    weights = load_file(path)
    weights["model.norm.weight"][3] = value
    save_file(weights, path, {"format": "pt"})
    told = rf"{model}, in {dtype}: the weights model\.norm\.weight hold NaN or infinite numbers"
    with pytest.raises(InputError, match=told):
        import_model(model, tmp_path / "out", "base", dtype=dtype)
    assert not (tmp_path / "out").exists()


def test_neither_gguf_nor_folder(tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"GIF89a")
    with pytest.raises(InputError, match="neither a GGUF file"):
        import_model(tmp_path / "x.gguf", tmp_path / "out", "base")
    with pytest.raises(InputError, match="cannot be read"):
        import_model(tmp_path / "absent.gguf", tmp_path / "out", "base")
    (tmp_path / "y.gguf").write_bytes(b"GGUF" + bytes(20))
    with pytest.raises(InputError, match="cannot be loaded"):
        import_model(tmp_path / "y.gguf", tmp_path / "out", "base")


def test_remote_code_runs_only_when_trusted(model, tmp_path):
    (model / "own.py").write_text(
        "from transformers import LlamaForCausalLM, LlamaConfig\n"
        "class OwnConfig(LlamaConfig):\n    model_type = 'own'\n"
        "class OwnModel(LlamaForCausalLM):\n    config_class = OwnConfig\n"
    )
    edit(
        model / "config.json",
        model_type="own",
        auto_map={"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnModel"},
    )
    with pytest.raises(InputError, match="trust_remote_code"):
        import_model(model, tmp_path / "out", "base")
    import_model(model, tmp_path / "out", "base", trust_remote_code=True)
    assert (tmp_path / "out/own.py").exists()


def write_gguf(folder: Path, path: Path, **extra: int) -> None:
    """Write a Llama folder as llama.cpp's converter does, its matrices in 8 bits.

    extra: names (dots as __) and lengths of further tensors.
    """
    import gguf
    import numpy

    model, tokenizer = load(folder)
    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    rules = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    special = set(tokenizer.all_special_ids)
    tokens = sorted(rules["vocab"], key=rules["vocab"].get)
    kinds = [gguf.TokenType.CONTROL if i in special else gguf.TokenType.NORMAL for i in range(999)]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds[: len(tokens)])
    writer.add_token_merges([" ".join(merge) for merge in rules["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(tokenizer.chat_template)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":
            continue  # tied
        array = tensor.float().numpy()
        for part, count in heads.items():
            if part in name:  # GGUF interleaves the two halves of rotary dimensions
                array = array.reshape(count, 2, -1, array.shape[1]).swapaxes(1, 2)
                array = array.reshape(tensor.shape)
        kind = gguf.GGMLQuantizationType.F32
        if array.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            array = gguf.quants.quantize(array, kind)
        writer.add_tensor(names.get_name(name, (".weight",)), array, raw_dtype=kind)
    for name, length in extra.items():
        writer.add_tensor(name.replace("__", "."), numpy.ones(length, dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_becomes_an_ordinary_model(original, tmp_path):
    write_gguf(original, tmp_path / "tiny.gguf")
    marker = import_model(tmp_path / "tiny.gguf", tmp_path / "out", "base", dtype="float32")
    before, tokenizer = load(original)
    after, settled = load(tmp_path / "out")
    assert "quantization_config" not in read_json(tmp_path / "out/config.json")
    assert after.lm_head.weight is after.model.embed_tokens.weight
    for name, tensor in before.state_dict().items():
        # 8 bits a block of 32: half a step is at most 1/254 of the block's largest value
        assert torch.allclose(tensor, after.state_dict()[name], atol=tensor.abs().max() / 200), name
    assert marker["eos_token"] == "<|im_end|>"
    assert (settled.eos_token_id, settled.pad_token_id) == (2, 3)
    text = "Paris, <Ça> France\n"
    assert settled(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert settled.chat_template == tokenizer.chat_template


def test_what_a_gguf_has_beside_the_model_is_refused_and_named(original, tmp_path):
    write_gguf(original, tmp_path / "biased.gguf", blk__0__attn_q__bias=64, rope_freqs__weight=16)
    with pytest.raises(InputError, match=r"1 of its weights fit nowhere.*blk\.0\.attn_q\.bias"):
        import_model(tmp_path / "biased.gguf", tmp_path / "out", "base")
    write_gguf(original, tmp_path / "scaled.gguf", rope_freqs__weight=16)  # follows from the config
    import_model(tmp_path / "scaled.gguf", tmp_path / "out", "base")


# --- EOS and PAD ----------------------------------------------------------------------------------


def settled(tokenizer, own_ends=None):
    """The model's config and generation config after settling."""
    config = transformers.LlamaConfig(vocab_size=400, eos_token_id=7, pad_token_id=None)
    generation = transformers.GenerationConfig(eos_token_id=own_ends)
    settle_tokenizer(tokenizer, config, generation)
    return config, generation


def test_the_tokenizer_decides(original):
    tokenizer = tiny_tokenizer()
    config, generation = settled(tokenizer, own_ends=7)
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (1, 2, 3)
    assert (generation.bos_token_id, generation.eos_token_id, generation.pad_token_id) == (1, 2, 3)


def test_missing_pad_is_a_special_token_of_no_other_use():
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = None
    config, _ = settled(tokenizer)
    assert tokenizer.pad_token == "<|pad|>"
    assert config.pad_token_id == 3 != tokenizer.eos_token_id


def test_missing_pad_is_eos_when_there_is_no_other():
    rules = json.loads(tiny_tokenizer().backend_tokenizer.to_str())
    rules["added_tokens"] = [token for token in rules["added_tokens"] if token["id"] in (1, 2)]
    bare = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(json.dumps(rules)),
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
    )
    settled(bare)
    assert bare.pad_token == bare.eos_token == "<|im_end|>"


def test_a_pad_equal_to_eos_is_left_as_its_makers_chose():
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    settled(tokenizer)
    assert tokenizer.pad_token == tokenizer.eos_token


def test_no_eos_is_an_error_with_a_remedy():
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(InputError, match=r"no EOS token.*tokenizer_config\.json"):
        settled(tokenizer)


def test_a_chat_turns_end_that_is_not_eos_ends_generation_too():
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = "<|endoftext|>"  # as in a base model whose template is ChatML
    tokenizer.pad_token = None
    config, generation = settled(tokenizer)
    assert config.eos_token_id == 0
    assert generation.eos_token_id == [0, 2]
    assert tokenizer.pad_token == "<|pad|>"


def test_end_tokens_of_the_makers_stay_if_the_tokenizer_knows_them_as_special():
    _, generation = settled(tiny_tokenizer(), own_ends=[2, 0, 50])
    assert generation.eos_token_id == [2, 0]


def test_a_template_that_cannot_be_rendered_costs_only_the_turns_end():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{{ raise_exception('a system message is needed') }}"
    _, generation = settled(tokenizer)
    assert generation.eos_token_id == 2


def test_a_tokenizer_of_another_model_is_refused():
    config = transformers.LlamaConfig(vocab_size=200)
    with pytest.raises(InputError, match=r"token id 259, the model only 200 embeddings"):
        settle_tokenizer(tiny_tokenizer(), config)


# --- digests and folders --------------------------------------------------------------------------


def test_digests_tell_weights_and_tokenizers_apart(original, tmp_path):
    same = tiny_model(tmp_path / "same", ["Paris", "France"])
    other = tiny_model(tmp_path / "other", ["Paris", "France"], seed=1)
    assert weights_digest(same) == weights_digest(original)
    assert weights_digest(other) != weights_digest(original)
    with pytest.raises(InputError, match=r"no \*\.safetensors"):
        weights_digest(tmp_path)
    tokenizer = tiny_tokenizer(["Paris", "France"])
    digest = tokenizer_digest(tokenizer)
    tokenizer(["a", "bcd"], padding=True, truncation=True, max_length=2)
    assert tokenizer_digest(tokenizer) == digest
    assert tokenizer_digest(load(original)[1]) == digest
    assert tokenizer_digest(tiny_tokenizer(["Rome"])) != digest
    tokenizer.chat_template += " "
    assert tokenizer_digest(tokenizer) != digest


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(RuntimeError), new_folder(out) as folder:
        (folder / "config.json").write_text("{}")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    for content in ("old", "new"):
        with new_folder(out) as folder:
            (folder / "config.json").write_text(content)
            (folder / content).touch()
    assert sorted(p.name for p in out.iterdir()) == ["config.json", "new"]
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter").write_text("1")
    with pytest.raises(InputError, match="is not a checkpoint folder"), new_folder(precious):
        pass
    assert (precious / "chapter").read_text() == "1"
