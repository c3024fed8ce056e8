"""A model and a tokenizer that bring their own code: through every stage if it is trusted."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from plumbline.config.engines import GenerationSettings
from plumbline.config.training import Recipe
from plumbline.generation.agreement import check_agreement
from plumbline.generation.engine import RenderedPrompt
from plumbline.generation.start import Engines
from plumbline.generation.transformers_engine import TransformersEngine
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.records import Example, Generation, Pair, Request, Sampling
from plumbline.scoring.likelihood import TokenizedItem, score
from plumbline.storage.files import InputError, read_rows, write_rows
from plumbline.training.run import TrainingRun, train
from programs import listed

CODE = {
    "configuration_ours": """
from transformers import LlamaConfig

class OursConfig(LlamaConfig):
    model_type = "ours"
""",
    # The opposite is said: whoever computes with Llama's own code is found out.
    "parts_ours": """
from transformers.models.llama.modeling_llama import LlamaRMSNorm

class OtherNorm(LlamaRMSNorm):
    def forward(self, states):
        return -super().forward(states)
""",
    "modeling_ours": """
from transformers import LlamaForCausalLM
from .configuration_ours import OursConfig
from .parts_ours import OtherNorm

class OursForCausalLM(LlamaForCausalLM):
    config_class = OursConfig

    def __init__(self, config):
        super().__init__(config)
        self.model.norm = OtherNorm(config.hidden_size, config.rms_norm_eps)
        self.post_init()
""",
    "tokenization_ours": """
import json
from pathlib import Path
from transformers import PreTrainedTokenizer

class OursTokenizer(PreTrainedTokenizer):
    vocab_files_names = {"vocab_file": "bytes.ours"}
    model_input_names = ["input_ids", "attention_mask"]

    def __init__(self, vocab_file, **kwargs):
        self.names = json.loads(Path(vocab_file).read_text())
        super().__init__(**kwargs)

    @property
    def vocab_size(self):
        return len(self.names)

    def get_vocab(self):
        return {name: i for i, name in enumerate(self.names)} | self.added_tokens_encoder

    def _tokenize(self, text, **_):
        return [self.names[byte] for byte in text.encode()]

    def _convert_token_to_id(self, token):
        return self.names.index(token)

    def _convert_id_to_token(self, index):
        return self.names[index]

    def convert_tokens_to_string(self, tokens):
        parts = (
            bytes([self.names.index(token)]) if token in self.names else token.encode()
            for token in tokens
        )
        return b"".join(parts).decode(errors="replace")

    def save_vocabulary(self, folder, filename_prefix=None):
        path = Path(folder) / "bytes.ours"
        path.write_text(json.dumps(self.names))
        return (str(path),)
""",
}
EOS, PAD = 256, 257
SFT = {
    "parameters": "full", "learning_rate": 0.01, "epochs": 1, "global_batch_size": 4,
    "micro_batch_size": 4, "max_length": 64, "dtype": "float32",
}  # fmt: skip
KTO = {**SFT, "method": "kto"}
DPO = {
    **SFT, "method": "dpo", "parameters": "lora", "max_steps": 1, "epochs": None,
    "lora": {"rank": 4, "dropout": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The folder as its makers would publish it."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("own") / "original"
    config = LlamaConfig(
        vocab_size=258, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=128,
        tie_word_embeddings=False, bos_token_id=None, eos_token_id=EOS, pad_token_id=PAD,
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    for name, text in CODE.items():
        (folder / f"{name}.py").write_text(text)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "ours", "architectures": ["OursForCausalLM"]}
    config["auto_map"] = {
        "AutoConfig": "configuration_ours.OursConfig",
        "AutoModelForCausalLM": "modeling_ours.OursForCausalLM",
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "bytes.ours").write_text(json.dumps([f"<{byte:02x}>" for byte in range(256)]))
    tokenizer = {
        "tokenizer_class": "OursTokenizer",
        "auto_map": {"AutoTokenizer": ["tokenization_ours.OursTokenizer", None]},
        "eos_token": "<end>", "pad_token": "<pad>", "model_max_length": 128,
        "added_tokens_decoder": {
            str(index): {"content": text, "special": True, "lstrip": False, "rstrip": False,
                         "normalized": False, "single_word": False}
            for index, text in ((EOS, "<end>"), (PAD, "<pad>"))
        },
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    return folder


@pytest.fixture(scope="module")
def base(original):
    folder = original.parent / "base"
    import_model(original, folder, "base", dtype="float32", trust_remote_code=True)
    return folder


def plain(folder):
    """The weights under Llama's own code, which passes over what the model's code changes."""
    from transformers import LlamaForCausalLM

    model = checkpoints.load_model(folder, "float32")
    other = LlamaForCausalLM(model.config)
    other.load_state_dict(model.state_dict())
    return other.eval()


def logits(folder, ids):
    """By Llama's own code, the last states turned round."""
    with torch.no_grad():
        return -plain(folder)(torch.tensor([ids])).logits[0]


def step(base, parent, rows, recipe, name):
    root = base.parent
    write_rows(root / f"{name}.jsonl", rows)
    run = TrainingRun(
        name=name, examples=root / f"{name}.jsonl", parent=parent, recipe=Recipe(**recipe),
        stops=("final",), probes=[], sampling=Sampling(max_tokens=4), match="squad", seed=1,
        device="cpu", out=root / name, work=root / name / "work",
    )  # fmt: skip
    train(run)
    return run.out / "final"


@pytest.fixture(scope="module")
def tuned(base):
    """A step of each method: all parameters, an adapter on them, all parameters again."""
    torch.set_num_threads(1)
    words = ["Paris", "Rome", "Oslo", "Bonn"]
    examples = [Example(id=f"e{n}", prompt=f"q{n}\n", completion=w) for n, w in enumerate(words)]
    pairs = [
        Pair(id=f"p{n}", prompt=f"q{n}\n", chosen=w, rejected="?") for n, w in enumerate(words)
    ]
    full = step(base, base, examples, SFT, "sft")
    adapter = step(base, full, pairs, DPO, "dpo")
    return full, adapter, step(base, adapter, pairs, KTO, "kto")


def test_every_stage_runs_the_code(base, tuned):
    tokenizer = checkpoints.load_tokenizer(base)
    assert type(tokenizer).__name__ == "OursTokenizer"
    assert tokenizer("é")["input_ids"] == list("é".encode())
    prompt, answer = list(b"q1\n"), [*b"Rome", EOS]
    settings = GenerationSettings(engine="transformers", dtype="float32", max_num_seqs=2)
    answers = []
    with Engines(settings, "cpu", 1, base.parent / "merged") as engines:
        for folder in (base, *tuned):
            assert checkpoints.load_tokenizer(folder)("é")["input_ids"] == list("é".encode())
            table = logits(folder, prompt + answer).log_softmax(-1)
            expected = sum(float(table[2 + i, token]) for i, token in enumerate(answer))
            model = checkpoints.load_model(folder, "float32").eval()
            [[found]] = score(model, [TokenizedItem(tuple(prompt), (tuple(answer),))], 64)
            assert found == pytest.approx(expected, abs=1e-4)
            asked = [RenderedPrompt(tuple(prompt), Sampling(max_tokens=3))]
            [[one]] = engines.of(folder, tokenizer).complete(asked)
            ids = list(prompt)
            for token in one.token_ids:
                assert token == int(logits(folder, ids)[-1].argmax())
                ids.append(token)
            answers.append(found)
    assert len(set(answers)) == 4, "each step changed the weights"


def test_a_merged_folder_brings_the_code_along(tuned, tmp_path):
    _, adapter, _ = tuned
    with checkpoints.full_weights(adapter, "float32", tmp_path) as folder:
        assert checkpoints.trusts_code(folder)
        assert {f"{name}.py" for name in CODE} <= {path.name for path in folder.iterdir()}
        merged = checkpoints.load_full(folder, "float32").eval()
        own = checkpoints.load_model(adapter, "float32").eval()
        ids = torch.tensor([list(b"q1\nRome")])
        with torch.no_grad():
            assert torch.allclose(merged(ids).logits, own(ids).logits, atol=1e-5)
        assert checkpoints.load_tokenizer(folder)("é")["input_ids"] == list("é".encode())


@pytest.mark.parametrize(
    ("name", "what"), [("config.json", "model"), ("tokenizer_config.json", "tokenizer")]
)
def test_code_that_is_not_trusted_is_refused_at_import(original, tmp_path, name, what):
    """Each for itself: of a tokenizer whose class is known, the code would be passed over."""
    shutil.copytree(original, tmp_path / "model")
    other = {"config.json", "tokenizer_config.json"} - {name}
    path = tmp_path / "model" / other.pop()
    settings = json.loads(path.read_text())
    del settings["auto_map"]
    path.write_text(json.dumps(settings))
    with pytest.raises(
        InputError, match=rf"{name}: auto_map: the {what} brings.*trust_remote_code"
    ):
        import_model(tmp_path / "model", tmp_path / "out", "base")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", [0, 1], ids=["full", "lora"])
def test_an_engine_that_passes_over_the_code_is_found_out(tuned, place):
    folder = tuned[place]
    tokenizer = checkpoints.load_tokenizer(folder)

    def engine(model):
        return TransformersEngine(model, tokenizer, end_token_ids=[EOS], batch_size=4)

    right = engine(checkpoints.load_model(folder, "float32").eval())
    check_agreement(right, folder, tokenizer, "float32")
    with pytest.raises(InputError, match=r"own code.*generation.engine to transformers"):
        check_agreement(engine(plain(folder)), folder, tokenizer, "float32")


@pytest.mark.whole
@pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed")
@pytest.mark.parametrize("own_model", [True, False])
def test_vllm_takes_a_tokenizers_code_and_finds_out_that_it_passes_over_a_models(
    original, tmp_path, own_model
):
    """Of a model of a known kind only the tokenizer's code is needed."""
    source = tmp_path / "source"
    shutil.copytree(original, source)
    config = json.loads((source / "config.json").read_text())
    if own_model:  # vLLM wants the name of the model without its head
        config["auto_map"]["AutoModel"] = "modeling_ours.OursForCausalLM"
    else:
        del config["auto_map"]
        config |= {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    (source / "config.json").write_text(json.dumps(config))
    import_model(source, tmp_path / "base", "base", dtype="float32", trust_remote_code=True)
    works = {"one": ["base", "base/checkpoint.json", "requests.jsonl"]}
    rows = [Request(id="r", prompt="q1 ", purpose="x", sampling=Sampling(max_tokens=4))]
    write_rows(tmp_path / "requests.jsonl", rows)
    settings = {"engine": "vllm", "dtype": "float32", "max_model_len": 64, "kv_cache_gib": 1}
    argv = [
        "--root",
        tmp_path,
        "--works",
        listed(tmp_path, works),
        "--work",
        "one",
        "--device",
        "cpu",
    ]
    argv += ["--settings", json.dumps(settings), "--threads", "1"]
    argv += ["--generations", tmp_path / "one.jsonl"]
    ended = subprocess.run(
        [sys.executable, "-m", "scripts.generate", *map(str, argv)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ended.returncode == 0) is not own_model, ended.stderr
    if own_model:
        assert "set generation.engine to transformers" in ended.stderr
        assert not list(tmp_path.glob("store/*/*.jsonl")), "nothing of it was stored"
    else:
        [row] = read_rows(tmp_path / "one.jsonl", Generation)
        ids = list(b"q1 ")
        for token in row.token_ids:
            with torch.no_grad():
                logits = plain(tmp_path / "base")(torch.tensor([ids])).logits[0, -1]
            assert token == int(logits.argmax())
            ids.append(token)


def test_the_harness_and_an_adapter_that_is_switched_off_run_the_code(base, tuned, tmp_path):
    harness = pytest.importorskip("plumbline.evaluation.harness")
    pytest.importorskip("lm_eval")
    rows = [
        {"question": f"q{n}", "choices": ["Rome", "Oslo", "?"], "gold": n % 3} for n in range(6)
    ]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {
        "task": "own", "dataset_path": "json", "test_split": "test", "doc_to_target": "gold",
        "dataset_kwargs": {"data_files": {"test": str(data)}}, "output_type": "multiple_choice",
        "doc_to_text": "{{question}}:", "doc_to_choice": "choices",
        "metric_list": [{"metric": "acc"}],
    }  # fmt: skip
    (tmp_path / "own.yaml").write_text(json.dumps(task))
    full, adapter, _ = tuned
    apart = checkpoints.load_with_adapter(adapter, "float32").eval()
    with apart.disable_adapter(), torch.no_grad():
        ids = list(b"q1\nRome")
        assert torch.allclose(apart(torch.tensor([ids])).logits[0], logits(full, ids), atol=1e-4)
    items = [
        TokenizedItem(
            tuple(f"{row['question']}:".encode()),
            tuple(tuple(f" {choice}".encode()) for choice in row["choices"]),
        )
        for row in rows
    ]
    for folder in (base, adapter):
        model = checkpoints.load_model(folder, "float32").eval()
        tokenizer = checkpoints.load_tokenizer(folder)
        best = [max(range(3), key=sums.__getitem__) for sums in score(model, items, 256)]
        found = harness.measure(
            model, tokenizer, "own", tmp_path, shots=0, limit=None, batch_size=4, domain="ood"
        )
        wanted = [float(b == row["gold"]) for b, row in zip(best, rows, strict=True)]
        assert [item.metrics["acc"] for item in found] == wanted
