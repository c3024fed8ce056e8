"""vLLM's CPU build: in one process it answers for several checkpoints, each by its own weights."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.records import Generation, Request, Sampling
from plumbline.storage.files import InputError, read_rows, write_rows
from programs import listed
from tiny import tiny_model

pytestmark = pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed")

TOKENS = 8
PROMPTS = ["a", "Rome", "which city?", "Paris is", "b c d", "x y"]
SETTINGS = {"engine": "vllm", "dtype": "float32", "max_model_len": 128, "max_num_seqs": 8}
SETTINGS["kv_cache_gib"] = 1
# Several jobs in one process, since importing vLLM takes longer than what they do.
PROGRAM = """
import sys
from plumbline.jobs import command_line
from scripts import generate
if __name__ == "__main__":
    for argv in [argument.split("|") for argument in sys.argv[1:]]:
        command_line.call(generate.main, argv)
"""


def moved(model, seed: int):
    """The model with all its weights moved, as by training with `parameters: full`."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            weights.add_(torch.randn_like(weights) * (0.05 if "norm" in name else 0.2))
    return model


def family(folder: Path, tied: bool) -> Path:
    """A base, one trained with all parameters, and an adapter on that one."""
    from peft import LoraConfig, get_peft_model

    original = tiny_model(folder / "original", ["Paris", "Rome"], tie_word_embeddings=tied)
    base, full = folder / "base", folder / "full"
    import_model(original, base, "base", dtype="float32")
    tokenizer = checkpoints.load_tokenizer(base)
    model = moved(checkpoints.load_model(base, "float32"), seed=1)
    checkpoints.write_full(full, "full", base, model.save_pretrained, tokenizer)
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    adapter = moved(get_peft_model(model, config), seed=2)
    checkpoints.write_adapter(folder / "lora", "lora", full, adapter.save_pretrained, tokenizer)
    rows = [
        Request(id=text, prompt=text, purpose="x", sampling=Sampling(max_tokens=TOKENS))
        for text in PROMPTS
    ]
    write_rows(folder / "requests.jsonl", rows)
    return folder


def expected(folder: Path, prompts=PROMPTS) -> list[list[int]]:
    """Greedy answers by a plain forward pass a token."""
    model = checkpoints.load_model(folder, "float32").eval()
    tokenizer = checkpoints.load_tokenizer(folder)
    answers = []
    for text in prompts:
        ids = tokenizer(text)["input_ids"]
        start = len(ids)
        while len(ids) < start + TOKENS and tokenizer.eos_token_id not in ids[start:]:
            with torch.no_grad():
                ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        answers.append(ids[start:])
    return answers


def job(root: Path, first: str) -> str:
    """A job for the first checkpoint's work, which finds those of the others ready."""
    works = {
        name: [name, f"{name}/checkpoint.json", "requests.jsonl"]
        for name in ("base", "full", "lora")
    }
    argv = ["--root", root, "--works", listed(root, works), "--work", first]
    argv += ["--settings", json.dumps(SETTINGS), "--device", "cpu", "--threads", "1"]
    return "|".join(map(str, [*argv, "--generations", root / first / "generations.jsonl"]))


SHORT = {"tied": ["full"], "untied": ["base"]}
WHOLE = {"tied": ["base", "lora"], "untied": ["full", "lora"]}


@pytest.mark.parametrize(
    "firsts",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(WHOLE, id="whole", marks=pytest.mark.whole),
    ],
)
def test_each_checkpoint_answers_by_its_own_weights_whichever_came_first(tmp_path, firsts):
    """A head tied to the embeddings is where a running engine kept another checkpoint's weights."""
    jobs = []
    for head, names in firsts.items():
        root = family(tmp_path / head, tied=head == "tied")
        for first in names:
            copy = root.with_name(f"{head}-{first}")
            shutil.copytree(root, copy)
            jobs.append((root, copy, first))
    program = tmp_path / "jobs.py"  # a file: vLLM may spawn processes, which import it again
    program.write_text(PROGRAM)
    subprocess.run(
        [sys.executable, program, *(job(copy, first) for _, copy, first in jobs)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
    )
    for root, copy, first in jobs:
        answers = []
        for place in ("full", "base", "lora"):
            generations = copy / place / "generations.jsonl"
            if place != first:
                [generations] = store_of(copy, place).glob("finished/*.jsonl")
            answers.append([row.token_ids for row in read_rows(generations, Generation)])
            assert answers[-1] == expected(root / place), f"{place} in a job of {copy.name}"
        assert len({str(one) for one in answers}) == 3
        assert not any((copy / "store" / "merged").iterdir()), "merged for an engine, removed after"


def store_of(root: Path, place: str) -> Path:
    digest = checkpoints.describe(root / place)["weights_sha256"]
    [folder] = (root / "store").glob(f"{digest[:16]}-*")
    return folder


# Adapters that are served need one engine; the configuration asks for it on a GPU only.
SERVING = """
import json
import sys
from pathlib import Path

from plumbline.config.engines import GenerationSettings
from plumbline.generation.engine import RenderedPrompt
from plumbline.generation.start import Engines
from plumbline.generation.vllm_engine import VllmEngine, sequences_for_memory
from plumbline.models import checkpoints
from plumbline.records import Sampling

starts, start = [], VllmEngine._start
VllmEngine._start = lambda self, size: starts.append(size) or start(self, size)
if __name__ == "__main__":
    root, asked = Path(sys.argv[1]), json.loads(sys.argv[2])
    found = []
    with Engines(GenerationSettings(**asked["settings"]), "cpu", 1, root / "merged") as engines:
        for name in asked["names"]:
            tokenizer = checkpoints.load_tokenizer(root / name)
            engine = engines.of(root / name, tokenizer)
            rows = [tuple(tokenizer(text)["input_ids"]) for text in asked["prompts"]]
            sampling = Sampling(max_tokens=asked["tokens"])
            answers = engine.complete([RenderedPrompt(row, sampling) for row in rows])
            found.append([answer.token_ids for [answer] in answers])
    told = {"answers": found, "starts": starts, "sequences": sequences_for_memory(1)}
    (root / "told.json").write_text(json.dumps(told))
"""


@pytest.mark.whole
def test_adapters_that_are_served_share_an_engine_and_answer_by_their_own_weights(tmp_path):
    from peft import LoraConfig, get_peft_model

    root = family(tmp_path / "tied", tied=True)
    tokenizer = checkpoints.load_tokenizer(root / "full")
    config = LoraConfig(r=8, lora_alpha=9, target_modules=["q_proj", "down_proj"])
    other = get_peft_model(checkpoints.load_model(root / "full", "float32"), config)
    other = moved(other, seed=3)
    checkpoints.write_adapter(
        root / "other", "other", root / "full", other.save_pretrained, tokenizer
    )
    # The last one fills whole blocks, which are shared between prompts with one beginning.
    prompts = [*PROMPTS, "Paris is Rome which city? " * 5]
    names = ["other", "lora", "other", "full"]
    asked = {"names": names, "prompts": prompts, "tokens": TOKENS}
    asked["settings"] = SETTINGS | {"adapters": "served"}
    program = tmp_path / "serving.py"
    program.write_text(SERVING)
    subprocess.run(
        [sys.executable, program, root, json.dumps(asked)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
    )
    told = json.loads((root / "told.json").read_text())
    for name, answers in zip(names, told["answers"], strict=True):
        assert answers == expected(root / name, prompts), name
    assert len({str(answers) for answers in told["answers"]}) == 3
    # One for all adapters, and one for weights that none may lie on.
    assert told["starts"] == [8, 8] and told["sequences"] >= 1


@pytest.mark.whole
def test_no_number_is_no_token(tmp_path):
    root = family(tmp_path / "tied", tied=True)
    model = checkpoints.load_model(root / "base", "float32")
    with torch.no_grad():
        model.get_output_embeddings().weight[7, 0] = float("nan")
    shutil.rmtree(root / "full")
    checkpoints.write_full(
        root / "full", "full", root / "base", model.save_pretrained,
        checkpoints.load_tokenizer(root / "base"),
    )  # fmt: skip
    program = tmp_path / "jobs.py"
    program.write_text(PROGRAM)
    run = subprocess.run(
        [sys.executable, program, job(root, "full")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode and f"{root / 'full'}: in float32 its logits are no numbers" in run.stderr
    assert not (root / "full/generations.jsonl").exists()


def test_a_model_whose_short_texts_would_get_long_ones_positions_is_refused(tmp_path):
    from plumbline.generation.vllm_engine import VllmEngine

    rope = {"rope_type": "longrope", "original_max_position_embeddings": 64}
    (tmp_path / "config.json").write_text(json.dumps({"rope_parameters": rope}))
    with pytest.raises(InputError, match=r"generation.max_model_len: 128, but above 64 tokens"):
        VllmEngine(
            tmp_path, end_token_ids=[2], trust_remote_code=False, device="cpu", dtype="float32",
            max_num_seqs=8, max_model_len=128, gpu_memory_utilization=0.9, tensor_parallel=1,
            eager=False, seed=1,
        )  # fmt: skip
