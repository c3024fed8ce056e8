"""Several processes that train one checkpoint: real ones, over gloo on a CPU."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from plumbline.models import checkpoints
from plumbline.records import Fit, Pair
from plumbline.storage.files import read_json, read_rows, write_rows
from plumbline.training import processes
from plumbline.training.callbacks import _save_full
from plumbline.training.run import train
from test_training import EXAMPLES, RECIPE, make_run, probes, same, weights

WORKFLOW = Path(processes.__file__).parents[2]
# No dropout: its masks would be others in each process.
LORA = {"rank": 8, "alpha": 16, "dropout": 0}
SFT = RECIPE | {"method": "sft", "epochs": 2, "micro_batch_size": 4, "lora": LORA}
FULL = SFT | {"parameters": "full", "learning_rate": 0.003}
DPO = {key: value for key, value in SFT.items() if key != "epochs"} | {
    "method": "dpo", "max_steps": 3, "save_steps": 2, "learning_rate": 0.003,
}  # fmt: skip
PAIRS = [
    Pair(id=f"p{n}", prompt=f"capital {n}\n", chosen="Rome" * (1 + n % 3), rejected="Oslo")
    for n in range(8)
]
# The second process has no room for two pairs (four rows) once two steps have been saved.
NO_ROOM = """
import os
if os.environ.get("RANK") == "1":
    from transformers import Trainer
    real = Trainer.training_step
    def step(self, model, inputs, *rest, **named):
        if self.state.global_step == 2 and len(inputs["input_ids"]) > 2:
            raise MemoryError("no room")
        return real(self, model, inputs, *rest, **named)
    Trainer.training_step = step
"""
# accelerate shares out weights among GPUs only: it is told that the two CPUs are some.
AS_IF_GPUS = """
import os
if "RANK" in os.environ:
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType
    real = PartialState.__init__
    def init(self, *rest, **named):
        real(self, *rest, **named)
        if self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type = DistributedType.MULTI_GPU
    PartialState.__init__ = init
"""
# Nor is there memory that a GPU could read.
NO_PINNED_MEMORY = """
from torch.distributed.fsdp import CPUOffloadPolicy
CPUOffloadPolicy.__init__.__defaults__ = (False,)
"""


def run_program(root: Path, base: Path, recipe: dict, at_start: str, **settings):
    """The training program's stderr, summary and output folder; `at_start` runs in all processes."""
    (root / "model").mkdir(parents=True)
    (root / "model" / "base").symlink_to(base)
    sft = recipe["method"] == "sft"
    write_rows(root / "examples.jsonl", EXAMPLES if sft else PAIRS)
    write_rows(root / "probes.jsonl", probes())
    (root / "sitecustomize.py").write_text(at_start, encoding="utf-8")  # Python looks for it itself
    options = {
        "root": root / "model", "name": "tuned", "seed": 1, "parent": "base",
        "examples": root / "examples.jsonl", "recipe": json.dumps(recipe),
        "settings": json.dumps({"processes": 2, **settings}), "max-tokens": 6, "match": "squad",
        "device": "cpu", "threads": 2, "fit": root / "fit.jsonl",
        "training": root / "training.json",
    }  # fmt: skip
    if sft:
        options["probes"] = root / "probes.jsonl"
    arguments = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    stops = ["early_stop", "convergence"] if sft else ["final"]
    path = os.pathsep.join([str(root), str(WORKFLOW), *filter(None, sys.path)])
    ended = subprocess.run(
        [sys.executable, "-m", "scripts.train", *arguments, "--stops", *stops], check=False,
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-4000:]
    return ended.stderr, read_json(root / "training.json"), root / "model" / "seed-1" / "tuned"


def train_alone(root: Path, base: Path, recipe: dict):
    """The same in this process: its summary and its run."""
    sft = recipe["method"] == "sft"
    write_rows(root / "examples.jsonl", EXAMPLES if sft else PAIRS)
    run = make_run(root, base, name="tuned", **{"epochs": None, **recipe})
    if not sft:
        run = replace(run, stops=("final",), probes=[])
    return train(run), run


@pytest.mark.parametrize(
    ("recipe", "settings", "at_start"),
    [
        (SFT, {"gradient_checkpointing": True}, ""),
        (SFT, {"strategy": "fsdp", "gradient_checkpointing": True}, AS_IF_GPUS),
        (FULL, {"strategy": "zero2", "cpu_offload": True}, AS_IF_GPUS + NO_PINNED_MEMORY),
        (DPO, {}, NO_ROOM),
    ],
    ids=["sft-ddp", "sft-fsdp", "full-zero2-offload", "dpo-ddp-out-of-memory"],
)
def test_two_processes_learn_what_one_learns(tiny_base, tmp_path, recipe, settings, at_start):
    alone, run = train_alone(tmp_path / "alone", tiny_base, recipe)
    told, together, out = run_program(
        tmp_path / "together", tiny_base, recipe, at_start, **settings
    )
    sft = recipe["method"] == "sft"
    assert (alone["processes"], together["processes"]) == (1, 2)
    assert (alone["micro_batch_size"], together["micro_batch_size"]) == (4, 2 if sft else 1)
    assert alone["steps"] == together["steps"] == (4 if sft else 3)
    curves = [summary["loss" if sft else "curve"] for summary in (alone, together)]
    assert len(curves[0]) == (2 if sft else 3)
    for one, other in zip(*curves, strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-4)
    for stop in alone["stops"]:
        assert alone["stops"][stop]["epoch"] == together["stops"][stop]["epoch"]
        ours, theirs = weights(run.out / stop), weights(out / stop)
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            # A fortieth of a step: Adam shows the rounding of the smallest gradients.
            torch.testing.assert_close(value, theirs[name], rtol=0, atol=5e-4)
    # One process writes and tells; nothing is left behind but the note of what came out.
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [".finished.json", *alone["stops"]]
    )
    assert told.count(f"{run.stops[-1]} at epoch") == 1
    if sft:
        fits = read_rows(tmp_path / "together" / "fit.jsonl", Fit)
        assert list(fits) == list(read_rows(run.work / "fit.jsonl", Fit))
        assert told.count("epoch 2/2, right answers") == 1
    else:
        assert told.count("micro_batch_size 2 does not fit (no room); trying again with 1") == 1
        assert told.count("going on after step 2") == 1


def test_shared_float32_weights_are_multiplied_in_bfloat16(tiny_base, tmp_path):
    """As one process does it: what is trained and saved stays in float32."""
    recipe = FULL | {"dtype": "bfloat16"}
    alone, run = train_alone(tmp_path / "alone", tiny_base, recipe)
    _, together, out = run_program(
        tmp_path / "together", tiny_base, recipe, AS_IF_GPUS, strategy="fsdp"
    )
    for one, other in zip(alone["loss"], together["loss"], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=0.02)
    ours, theirs = weights(run.out / "convergence"), weights(out / "convergence")
    before = checkpoints.load_model(tiny_base, "float32").state_dict()
    moved, apart = 0.0, 0.0
    for name, value in ours.items():
        assert theirs[name].dtype == torch.float32
        moved += float((value - before[name]).square().sum())
        apart += float((value - theirs[name]).square().sum())
    assert apart < 0.1 * moved


def test_tied_weights_put_together_from_parts_are_saved_once(tiny_base, tmp_path):
    model = checkpoints.load_model(tiny_base, "float32")
    parts = {key: value.clone() for key, value in model.state_dict().items()}
    assert "lm_head.weight" in parts
    _save_full(model, tmp_path / "alone", None)
    _save_full(model, tmp_path / "together", parts)
    assert "lm_head.weight" not in weights(tmp_path / "alone")
    assert same(weights(tmp_path / "alone"), weights(tmp_path / "together"))
