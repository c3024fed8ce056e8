"""Cards of checkpoints and training files, and what a hub is sent of them."""

import base64
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from plumbline.evaluation.tables import Comparison
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.models.publishing import kind_of, to_send
from plumbline.storage.files import InputError, read_json, write_json
from plumbline.tables import write_table
from plumbline.training.run import train
from plumbline.training.sets import Composition
from programs import listed, program
from test_preferences import make_run

ROOT = Path(__file__).parents[2]


class Hub:
    """A stand-in of the hub's interface for uploads: files come with the commit itself."""

    def __init__(self):
        self.made, self.files, hub = [], {}, self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/api/repos/create":
                    hub.made.append(json.loads(body))
                    made = hub.made[-1]
                    kind = "datasets/" if made.get("type") == "dataset" else ""
                    answer = {"url": f"{hub.url}/{kind}{made['organization']}/{made['name']}"}
                elif "/preupload/" in self.path:
                    asked = json.loads(body)["files"]
                    answer = {
                        "files": [
                            {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                            for one in asked
                        ]
                    }
                elif "/commit/" in self.path:
                    for line in map(json.loads, body.splitlines()):
                        if line["key"] == "file":
                            value = line["value"]
                            hub.files[value["path"]] = base64.b64decode(value["content"])
                    answer = {"commitUrl": f"{hub.url}/me/it/commit/1", "commitOid": "1"}
                else:  # whether a card's head is valid
                    answer = {"errors": [], "warnings": []}
                self.answer(answer)

            def do_GET(self):
                self.answer({"id": "me/it", "sha": "0", "siblings": [], "private": True})

            def answer(self, content):
                text = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()


@pytest.fixture
def hub():
    made = Hub()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def run(tiny_base, tmp_path_factory):
    """A run's folder with a base of the hub and two rounds, of which the second lies on the first."""
    root = tmp_path_factory.mktemp("run")
    base = root / "m/base"
    import_model(
        tiny_base.parent / "original", base, "m", dtype="float32", source="hub:me/base@abc"
    )
    parent = base
    for name in ("grath.r1", "grath.r2"):
        tuning = root / f"m/seed-1/{name}"
        tuning.mkdir(parents=True)
        made = make_run(tuning, parent, name="again", max_steps=2, epochs=None)
        object.__setattr__(made, "name", name)
        object.__setattr__(made, "out", tuning)
        write_json(tuning / "training.json", train(made))
        parent = tuning / "final"
        (parent / "closed_book").mkdir()
        (parent / "closed_book/answers.jsonl").write_text("")
        Composition(name=name, rows=8, parts={"this round": 8}, counted={}, dropped=[]).write(
            tuning / "composition.json"
        )
    return root


def write_cards(run, monkeypatch, tmp_path):
    row = {
        "model": "m", "checkpoint": "grath.r1", "against": "base", "other": "base",
        "task": "facts", "domain": "ood", "metric": "mc1", "value": 0.25, "other_value": 0.5,
        "difference": -0.25, "low": -0.4, "high": -0.1, "p": 0.01, "n": 40, "seeds": 1,
    }  # fmt: skip
    parents = {**row, "against": "parent"}
    write_table(run / "comparisons.csv", Comparison, [row, parents])
    cards = [
        {"model": "m", "checkpoint": name, "folder": f"m/seed-1/{name}/final",
         "tuning": f"m/seed-1/{name}", "data": f"m/seed-1/{name}/pairs.jsonl"}
        for name in ("grath.r1", "grath.r2")
    ]  # fmt: skip
    program(
        monkeypatch, "write_cards", root=run, cards=listed(tmp_path, cards),
        comparisons=run / "comparisons.csv", confidence=0.95,
    )  # fmt: skip


def head(text):
    return yaml.safe_load(text.split("---\n")[1])


def push(folder, hub, *options):
    return subprocess.run(
        [sys.executable, "-m", "scripts.push", "--folder", str(folder), "--repo", "me/it",
         *options],
        cwd=ROOT / "workflow",
        env={k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        | {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_made_up", "HF_HUB_DISABLE_XET": "1",
           "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "work")},
        capture_output=True,
        text=True,
    )  # fmt: skip


def test_a_card_says_what_it_is_made_of_and_what_was_measured(run, monkeypatch, tmp_path):
    final = run / "m/seed-1/grath.r1/final"
    before = checkpoints.answers_digest(final), checkpoints.describe(final)
    write_cards(run, monkeypatch, tmp_path)
    assert (checkpoints.answers_digest(final), checkpoints.describe(final)) == before
    card = (final / "README.md").read_text()
    assert head(card) == {
        "base_model": "me/base", "library_name": "peft", "pipeline_tag": "text-generation",
        "tags": ["plumbline", "grath", "dpo", "trl"],
    }  # fmt: skip
    assert [line for line in card.splitlines() if line.startswith("## ")] == [
        f"## {name}" for name in ("Base", "Data", "Recipe", "Evaluation", "Limits")
    ]
    assert "| facts | ood | mc1 | 0.250 | 0.500 | -0.250 | -0.400 to -0.100 | 40 |" in card
    assert "`hub:me/base@abc`" in card and "learning_rate: 0.01" in card and "8 this round" in card
    assert "intervals do not include the spread between trainings" in card
    second = (run / "m/seed-1/grath.r2/final/README.md").read_text()
    assert head(second)["library_name"] == "transformers" and "Not evaluated." in second
    data = (run / "m/seed-1/grath.r1/README.md").read_text()
    assert head(data)["configs"] == [{"config_name": "default", "data_files": "pairs.jsonl"}]


def test_nothing_is_sent_unless_it_is_confirmed(run, monkeypatch, tmp_path, hub):
    write_cards(run, monkeypatch, tmp_path)
    done = push(run / "m/seed-1/grath.r1/final", hub)
    assert done.returncode == 0, done.stderr
    assert "adapter_model.safetensors" in done.stdout and "Nothing was sent" in done.stdout
    assert hub.made == [] and hub.files == {}


def test_an_adapter_on_a_base_of_the_hub_is_sent_with_its_name(run, monkeypatch, tmp_path, hub):
    write_cards(run, monkeypatch, tmp_path)
    there = set((run / "m/seed-1/grath.r1").iterdir())
    done = push(run / "m/seed-1/grath.r1/final", hub, "--confirm")
    assert done.returncode == 0, done.stderr
    [made] = hub.made
    assert (made["name"], made["organization"], made["visibility"]) == ("it", "me", "private")
    settings = json.loads(hub.files["adapter_config.json"])
    assert (settings["base_model_name_or_path"], settings["revision"]) == ("me/base", "abc")
    assert not any("closed_book" in path or path == "checkpoint.json" for path in hub.files)
    weights = run / "m/seed-1/grath.r1/final/adapter_model.safetensors"
    assert hub.files["adapter_model.safetensors"] == weights.read_bytes()
    assert b"plumbline" in hub.files["README.md"]
    # Nothing is left of what was put together for it.
    assert set((run / "m/seed-1/grath.r1").iterdir()) == there


def test_an_adapter_on_a_tuned_parent_is_sent_merged(run, monkeypatch, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    write_cards(run, monkeypatch, tmp_path)
    final = run / "m/seed-1/grath.r2/final"
    with to_send(final, tmp_path) as sent:
        assert not (sent / "adapter_config.json").exists() and (sent / "README.md").exists()
        loaded = AutoModelForCausalLM.from_pretrained(sent)
    ids = torch.tensor([[5, 6, 7]])
    there = checkpoints.load_model(final, "float32")
    assert torch.equal(loaded(ids).logits, there(ids).logits)


def test_a_training_file_is_a_dataset(run, monkeypatch, tmp_path, hub):
    write_cards(run, monkeypatch, tmp_path)
    folder = run / "m/seed-1/grath.r1"
    done = push(folder, hub, "--confirm")
    assert done.returncode == 0, done.stderr
    assert hub.made[0]["type"] == "dataset"
    assert hub.files.keys() == {"README.md", "composition.json", "pairs.jsonl"}
    assert hub.files["pairs.jsonl"] == (folder / "pairs.jsonl").read_bytes()


def test_what_cannot_be_sent_is_told_in_a_line(run, monkeypatch, tmp_path, hub):
    with pytest.raises(InputError, match=r"neither a checkpoint .* nor a training file"):
        kind_of(tmp_path)
    write_cards(run, monkeypatch, tmp_path)
    (run / "m/seed-1/grath.r1/README.md").unlink()
    with pytest.raises(InputError, match="has no card yet; make it with `snakemake cards`"):
        kind_of(run / "m/seed-1/grath.r1")
    hub.stop()
    hub.url = "http://127.0.0.1:9"
    done = push(run / "m/seed-1/grath.r1/final", hub, "--confirm")
    assert done.returncode == 1 and "did not take it" in done.stderr
    assert "Traceback" not in done.stderr and read_json(run / "m/base/checkpoint.json")
