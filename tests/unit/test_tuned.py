"""Models tuned elsewhere become checkpoints of their base, or are refused in a line."""

import json
import shutil

import pytest
import torch
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.models.tuned import import_tuned
from plumbline.storage.files import InputError
from safetensors.torch import load_file, save_file
from tiny import tiny_model

WORDS = ["Paris", "Rome", "Oslo", "capital", "France"]


def adapter(base, folder, **settings):
    """A LoRA adapter on the base as plain PEFT saves it, with weights that change something."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    settings = {"r": 2, "target_modules": "all-linear", "init_lora_weights": False} | settings
    model = get_peft_model(checkpoints.load_model(base, "float32"), LoraConfig(**settings))
    model.save_pretrained(folder)
    return model.eval()


def logits(model):
    with torch.no_grad():
        return model(torch.tensor([[5, 6, 7, 8]])).logits


def test_an_adapter_of_plain_peft_answers_as_it_did_there(tiny_base, tmp_path):
    model = adapter(tiny_base, tmp_path / "lora")
    shutil.copy(tiny_base / "config.json", tmp_path / "lora")  # as some trainers leave it
    marker = import_tuned(tmp_path / "lora", tmp_path / "run/audit/mine", "audit.mine", tiny_base)
    assert (marker["kind"], marker["name"]) == ("adapter", "audit.mine")
    assert set(marker["rounding_cosine"]) == {"bfloat16", "float16"}
    loaded = checkpoints.load_model(tmp_path / "run/audit/mine", "float32")
    assert torch.allclose(logits(loaded), logits(model), atol=1e-4)
    base = checkpoints.load_model(tiny_base, "float32")
    assert not torch.allclose(logits(loaded), logits(base), atol=1e-2)


def test_whole_weights_keep_their_precision_and_have_the_base_as_parent(tiny_base, tmp_path):
    model = adapter(tiny_base, tmp_path / "lora").merge_and_unload()
    for dtype in ("float32", "bfloat16"):
        model.to(getattr(torch, dtype)).save_pretrained(tmp_path / dtype)
        checkpoints.load_tokenizer(tiny_base).save_pretrained(tmp_path / dtype)
        out = tmp_path / f"run/{dtype}"
        marker = import_tuned(tmp_path / dtype, out, "audit.m", tiny_base, source="file:there")
        assert (marker["kind"], marker["dtype"], marker["source"]) == ("full", dtype, "file:there")
        assert (out / marker["parent"]).resolve() == tiny_base.resolve()
        stored = dict(checkpoints.load_model(out, "float32").named_parameters())
        assert all(
            torch.equal(stored[name], weight.float()) for name, weight in model.named_parameters()
        )


def test_an_adapter_of_this_workflow_on_another_one_is_merged(tiny_base, tmp_path):
    """Taken for one on the base, it would be another model."""
    tokenizer, first, second = checkpoints.load_tokenizer(tiny_base), tmp_path / "1", tmp_path / "2"
    model = adapter(tiny_base, tmp_path / "plain")
    checkpoints.write_adapter(first, "r1", tiny_base, model.save_pretrained, tokenizer)
    checkpoints.note_rounding(first)
    model = adapter(first, tmp_path / "other", r=3)
    checkpoints.write_adapter(second, "r2", first, model.save_pretrained, tokenizer)
    checkpoints.note_rounding(second)
    marker = import_tuned(second, tmp_path / "out", "audit.r2", tiny_base)
    assert marker["kind"] == "full"
    loaded = checkpoints.load_model(tmp_path / "out", "float32")
    assert torch.allclose(logits(loaded), logits(model), atol=1e-4)
    assert import_tuned(first, tmp_path / "one", "audit.r1", tiny_base)["kind"] == "adapter"
    other = tiny_model(tmp_path / "source", WORDS, seed=3)
    import_model(other, tmp_path / "base", "other", dtype="float32")
    with pytest.raises(InputError, match=r"was tuned from base in .*, which has other weights"):
        import_tuned(second, tmp_path / "wrong", "audit.r2", tmp_path / "base")


def test_a_vocabulary_may_have_grown(tiny_base, tmp_path):
    model = adapter(tiny_base, tmp_path / "lora").merge_and_unload()
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|more|>"]})
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(tmp_path / "grown")
    tokenizer.save_pretrained(tmp_path / "grown")
    marker = import_tuned(tmp_path / "grown", tmp_path / "out", "audit.grown", tiny_base)
    assert marker["rounding_cosine"]["bfloat16"] > 0.9


def changed(folder, **settings):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def spoil_kind(folder, base):
    changed(folder, peft_type="LOHA")


def spoil_dora(folder, base):
    changed(folder, use_dora=True)


def spoil_pickled(folder, base):
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def spoil_names(folder, base):
    weights = load_file(folder / "adapter_model.safetensors")
    name, tensor = next(iter(weights.items()))
    weights.pop(name)
    save_file(weights | {name.replace("layers.0", "layers.7"): tensor.clone()},
              folder / "adapter_model.safetensors")  # fmt: skip


def spoil_shapes(folder, base):
    weights = load_file(folder / "adapter_model.safetensors")
    weights = {name: torch.cat([tensor, tensor], -1) for name, tensor in weights.items()}
    save_file(weights, folder / "adapter_model.safetensors")


def spoil_tokenizer(folder, base):
    tokenizer = checkpoints.load_tokenizer(base)
    tokenizer.add_tokens(["more"])
    tokenizer.save_pretrained(folder)


def spoil_zero(folder, base):
    weights = load_file(folder / "adapter_model.safetensors")
    save_file({n: torch.zeros_like(t) for n, t in weights.items()},
              folder / "adapter_model.safetensors")  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_kind, "kind LOHA, expected LoRA. Merge it"),
        (spoil_dora, "kind DoRA, expected LoRA. Merge it"),
        (spoil_pickled, "without adapter_model.safetensors; pickled weights are not read"),
        (spoil_names, r"does not fit the base: 2 weights differ.*layers"),
        (spoil_shapes, "cannot be loaded as an adapter of this base.*Was it made on this base"),
        (spoil_tokenizer, "other tokens than the base's. Merge it"),
        (spoil_zero, "its weights are the base's; nothing was tuned"),
    ],
)
def test_what_is_no_adapter_of_the_base_is_told(tiny_base, tmp_path, spoil, message):
    adapter(tiny_base, tmp_path / "lora")
    spoil(tmp_path / "lora", tiny_base)
    with pytest.raises(InputError, match=message):
        import_tuned(tmp_path / "lora", tmp_path / "out", "audit.m", tiny_base)


def test_whole_weights_of_another_model_or_of_the_base_itself_are_told(tiny_base, tmp_path):
    shutil.copytree(tiny_base, tmp_path / "same")
    with pytest.raises(InputError, match="its weights are the base's; nothing was tuned"):
        import_tuned(tmp_path / "same", tmp_path / "out", "audit.same", tiny_base)
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=2, n_positions=512)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "gpt2")
    tokenizer.save_pretrained(tmp_path / "gpt2")
    with pytest.raises(InputError, match=r"no weight in common with the base.*tuned from it"):
        import_tuned(tmp_path / "gpt2", tmp_path / "out", "audit.other", tiny_base)
