"""Damaged files: what was generated is generated again and counted, anything else is told of."""

from __future__ import annotations

import importlib.util
import json
import logging
import random
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from faults import entries
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.records import Generation, Request, Sampling
from plumbline.sources.fetching import fetch
from plumbline.sources.source import Source
from plumbline.storage.files import InputError, read_rows, write_rows
from programs import listed, program
from tiny import tiny_model

pytestmark = pytest.mark.timeout(300)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def corrupt(path: Path) -> None:
    """One bit in the last third, where the data is."""
    content = bytearray(path.read_bytes())
    content[len(content) * 5 // 6] ^= 0x40
    path.write_bytes(content)


@pytest.fixture
def ask(tiny_base, tmp_path, monkeypatch):
    """A model's folder with twelve requests; calling it runs the program that answers them."""
    shutil.copytree(tiny_base, tmp_path / "base")
    rows = [
        Request(id=f"r{n}", prompt=f"{n} ", purpose="x", sampling=Sampling(max_tokens=4))
        for n in range(12)
    ]
    write_rows(tmp_path / "requests.jsonl", rows)
    works = {"asked": ["base", "base/checkpoint.json", "requests.jsonl"]}
    settings = {"engine": "transformers", "dtype": "float32", "max_model_len": 64}
    answers = tmp_path / "asked/generations.jsonl"

    def run() -> list[Generation]:
        argv = [
            *("--root", tmp_path, "--works", listed(tmp_path, works), "--work", "asked"),
            *("--settings", json.dumps(settings), "--device", "cpu", "--threads", 1),
            *("--generations", answers),
        ]
        program(monkeypatch, "generate", *argv)
        return list(read_rows(answers, Generation))

    run.root = tmp_path
    return run


def test_damaged_answers_are_given_again_and_counted(ask, caplog):
    """One line is garbled, one is not text, the last is cut off; the other nine stand."""
    first = ask()
    [shard] = ask.root.glob("store/*/*.jsonl")
    lines = shard.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"key"', b'"kez"')
    lines[5] = b"\xff\x00\xfe" * 20 + b"\n"
    lines[-1] = lines[-1][:40]
    shard.write_bytes(b"".join(lines))
    caplog.set_level(logging.INFO, "plumbline")
    assert ask() == first
    assert "3 unreadable line(s)" in caplog.text
    assert "starting the engine for 3 prompts, 9 done" in caplog.text
    assert len(list(ask.root.glob("store/*/*.jsonl"))) == 2, "what is there is never written over"


def test_a_shard_that_is_gone_or_empty_is_given_again(ask, caplog):
    first = ask()
    [shard] = ask.root.glob("store/*/*.jsonl")
    shard.write_bytes(b"")
    caplog.set_level(logging.INFO, "plumbline")
    assert ask() == first
    assert "starting the engine for 12 prompts, 0 done" in caplog.text
    assert len(entries(ask.root / "store")) == 12


@pytest.fixture
def adapter(tiny_base, tmp_path) -> Path:
    from peft import LoraConfig, get_peft_model

    model = checkpoints.load_model(tiny_base, "float32")
    model = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear"))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data += 0.01
    checkpoints.write_adapter(
        tmp_path / "tuned/final", "tuned", tiny_base, model.save_pretrained,
        checkpoints.load_tokenizer(tiny_base),
    )  # fmt: skip
    return tmp_path / "tuned/final"


@pytest.mark.parametrize("damage", [truncate, corrupt, Path.unlink])
def test_a_damaged_adapter_is_never_merged(adapter, damage):
    checkpoints.load_model(adapter, "float32")
    damage(adapter / checkpoints.WEIGHTS)
    with pytest.raises(InputError) as error:
        checkpoints.load_model(adapter, "float32")
    assert str(adapter) in str(error.value) and checkpoints.WEIGHTS in str(error.value)
    assert "remove its folder" in str(error.value) and "training.json" in str(error.value)


def test_truncated_weights_are_told_of(tiny_base, tmp_path):
    base = shutil.copytree(tiny_base, tmp_path / "base")
    truncate(base / "model.safetensors")
    with pytest.raises(InputError, match="remove its folder") as error:
        checkpoints.load_model(base, "float32")
    assert str(base) in str(error.value)


def test_a_truncated_gguf_is_told_of_and_leaves_nothing(tmp_path):
    unit = Path(__file__).parents[1] / "unit/test_models.py"
    spec = importlib.util.spec_from_file_location("of_models", unit)
    of_models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(of_models)
    whole = tmp_path / "tiny.gguf"
    of_models.write_gguf(tiny_model(tmp_path / "tiny", ["Paris"]), whole)
    import_model(whole, tmp_path / "whole", "base", dtype="float32")
    truncate(whole)
    with pytest.raises(InputError, match=r"tiny\.gguf: cannot be loaded.* again"):
        import_model(whole, tmp_path / "out", "base", dtype="float32")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize("damage", [truncate, corrupt])
def test_a_damaged_wheel_is_told_of_with_what_to_do(tmp_path, monkeypatch, damage):
    """Pip refuses what is cut off; a changed bit is found when the file is unpacked."""
    text = random.Random(1).randbytes(20_000).hex().encode()
    wheel = tmp_path / "wheels/facts_kit-1.2-py3-none-any.whl"
    wheel.parent.mkdir()
    info = "facts_kit-1.2.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: facts-kit\nVersion: 1.2")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        archive.writestr(f"{info}/RECORD", "")
        archive.writestr("facts_kit/facts.csv", text)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    source = Source.parse("pypi:facts-kit==1.2/facts_kit/facts.csv", sha256(text).hexdigest())
    damage(wheel)
    with pytest.raises(InputError, match="could not be fetched") as error:
        fetch(source, tmp_path / "out")
    assert "facts-kit" in str(error.value) and "by hand" in str(error.value)
    assert list((tmp_path / "out").iterdir()) == []
