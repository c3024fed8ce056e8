"""A job that is killed between the end of its training and Snakemake's note of it."""

from __future__ import annotations

import json
import logging
import shutil

import pytest
from plumbline.config.training import Recipe
from plumbline.records import Example, Probe
from plumbline.storage.files import write_rows
from plumbline.training.finished import FILE
from programs import program

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def tuning(tiny_base, tmp_path, monkeypatch, caplog):
    """A tuning's folder after its job was killed; calling `again` starts the job again.

    Outputs are gone, as Snakemake removes those of a job that did not end.
    """
    shutil.copytree(tiny_base, tmp_path / "base")
    examples = [Example(id=f"e{n}", prompt=f"{n}\n", completion="Oslo") for n in range(8)]
    probe = {"part": "dev", "domain": "id", "category": "Unknown", "answers": ["Oslo"]}
    write_rows(tmp_path / "examples.jsonl", examples)
    write_rows(tmp_path / "probes.jsonl", [Probe(id="p", prompt="1\n", **probe)])
    recipe = Recipe(
        method="sft", learning_rate=0.01, epochs=2, global_batch_size=4, micro_batch_size=4,
        max_length=32, dtype="float32",
    )  # fmt: skip
    folder = tmp_path / "seed-1/toy"
    outputs = {"--fit": folder / "fit.jsonl", "--training": folder / "training.json"}
    caplog.set_level(logging.INFO, "plumbline")

    def again(code: str = "a") -> tuple[list[bytes], str]:
        """What the job wrote, and what it said."""
        caplog.clear()
        options = {
            "--root": tmp_path, "--name": "toy", "--seed": 1, "--parent": "base",
            "--examples": tmp_path / "examples.jsonl", "--probes": tmp_path / "probes.jsonl",
            "--recipe": recipe.model_dump_json(), "--stops": "early_stop", "--max-tokens": 4,
            "--match": "squad", "--device": "cpu", "--threads": 1, "--code": code, **outputs,
        }  # fmt: skip
        program(monkeypatch, "train", *(part for option in options.items() for part in option))
        written = [path.read_bytes() for path in outputs.values()]
        for path in outputs.values():
            path.unlink()
        return written, caplog.text

    again.folder = folder
    again.first, said = again()
    assert "epoch 2/2" in said
    return again


def test_what_was_trained_to_its_end_is_not_trained_again(tuning):
    before = (tuning.folder / "early_stop/adapter_model.safetensors").stat().st_mtime_ns
    written, said = tuning()
    assert written == tuning.first and len(written[0].splitlines()) == 3
    assert "was trained to its end before" in said and "epoch" not in said
    assert (tuning.folder / "early_stop/adapter_model.safetensors").stat().st_mtime_ns == before
    assert sorted(path.name for path in tuning.folder.iterdir()) == [FILE, "early_stop"]


@pytest.mark.parametrize("change", ["code", "checkpoint", "other weights", "note"])
def test_it_is_trained_again_where_anything_is_different(tuning, change):
    marker = tuning.folder / "early_stop/checkpoint.json"
    if change == "checkpoint":
        shutil.rmtree(marker.parent)
    elif change == "other weights":
        marker.write_text(json.dumps(json.loads(marker.read_text()) | {"weights_sha256": "0" * 64}))
    elif change == "note":
        (tuning.folder / FILE).write_text('{"identity": ')
    written, said = tuning("b" if change == "code" else "a")
    assert written == tuning.first
    assert "epoch 2/2" in said and "was trained to its end" not in said
