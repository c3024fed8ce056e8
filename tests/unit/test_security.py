"""What comes from outside can neither run, nor leave its folder, nor become markup; keys stay put.

That sources are refused without a sha256, or with another one, is tested in test_sources.py.
"""

from __future__ import annotations

import ast
import csv
import json
import os
import pickle
import stat
import subprocess
import sys
import threading
import zipfile
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from plumbline.claims.records import Claim, Splitting, Verdict
from plumbline.experiment import config as experiment
from plumbline.models.importing import import_model
from plumbline.records import Generation, Request, Sampling
from plumbline.sources import fetching
from plumbline.sources.source import Source
from plumbline.storage.files import InputError, read_json, write_json, write_rows
from plumbline.verification.search import Embedder
from programs import csv_rows, listed
from report_data import write_results

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
CODE = [*(ROOT / "workflow/plumbline").rglob("*.py"), *(ROOT / "workflow/scripts").glob("*.py")]
KEY = "sk-planted-0123456789"
RUNS_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"eval", "exec", "compile", "__import__", "torch.load", "yaml.load", "yaml.unsafe_load",
         "os.system", "os.popen", "numpy.load", "np.load", "pandas.read_pickle"}  # fmt: skip


UNSAFE = {"trust_remote_code": True, "shell": True, "allow_pickle": True,
          "use_safetensors": False, "safe_serialization": False, "weights_only": False}  # fmt: skip


def is_unsafe(name: object, value: ast.expr) -> bool:
    return name in UNSAFE and isinstance(value, ast.Constant) and value.value is UNSAFE[name]


def dangers(text: str) -> list[str]:
    """What in a module's code can run what it reads, or trust a model's own code unasked."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            found += [name for name in names if name.split(".")[0] in RUNS_CODE]
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in CALLS or name.endswith(".extractall"):
                found.append(name)
            options = [(keyword.arg, keyword.value) for keyword in node.keywords]
            found += [f"{name}={value.value}" for name, value in options if is_unsafe(name, value)]
        elif isinstance(node, ast.Dict):
            options = [(getattr(key, "value", None), value) for key, value in
                       zip(node.keys, node.values, strict=True)]  # fmt: skip
            found += [f"{name}={value.value}" for name, value in options if is_unsafe(name, value)]
    return found


@pytest.mark.parametrize(
    "text",
    [
        *("import pickle", "from joblib import load", "torch.load(path)", "yaml.load(text)"),
        *("eval(line)", "run(line, shell=True)", "archive.extractall(folder)", "np.load(path)"),
        "options = {'trust_remote_code': True}",
        *("Auto.from_pretrained(x, trust_remote_code=True)", "m.save(f, safe_serialization=False)"),
    ],
)
def test_the_search_for_dangers_finds(text):
    assert dangers(text)


def test_nothing_that_is_read_is_run():
    found = {path.name: dangers(path.read_text()) for path in CODE}
    assert len(found) > 150
    assert {name: what for name, what in found.items() if what} == {}


# --- models -------------------------------------------------------------------------------------


class Trap:
    """Unpickling it makes the folder that it was made with."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def trapped(tiny_base, tmp_path) -> Path:
    """A model with its weights pickled, which makes tmp_path/sprung when they are unpickled."""
    folder = tmp_path / "trapped"
    folder.mkdir()
    for file in tiny_base.iterdir():
        if file.suffix == ".json" and file.name != "checkpoint.json":
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    return folder


def test_the_trap_works(trapped, tmp_path):
    pickle.loads((trapped / "pytorch_model.bin").read_bytes())
    assert (tmp_path / "sprung").is_dir()


def test_pickled_weights_are_refused_unread(trapped, tmp_path):
    with pytest.raises(InputError, match="only pickled weights"):
        import_model(trapped, tmp_path / "out", "base")
    with pytest.raises(InputError, match="cannot be loaded as an embedding model"):
        Embedder(trapped, "cpu")
    assert not (tmp_path / "sprung").exists()


def test_an_embedding_model_that_brings_code_is_refused(tiny_base, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    for file in tiny_base.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    about = read_json(folder / "config.json")
    about |= {"model_type": "own", "auto_map": {"AutoConfig": "own.C", "AutoModel": "own.M"}}
    write_json(folder / "config.json", about)
    (folder / "own.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'sprung')!r})\n")
    with pytest.raises(InputError, match="trust_remote_code"):
        Embedder(folder, "cpu")
    assert not (tmp_path / "sprung").exists()


def test_each_model_is_trusted_by_itself():
    source = {"source": "file:models"}
    models = [{"name": "a", **source, "trust_remote_code": True}, {"name": "b", **source}]
    loaded = experiment.load(DEFAULT | {"models": models})
    assert [model.trust_remote_code for model in loaded.models] == [True, False]


# --- archives -----------------------------------------------------------------------------------


def test_of_a_hostile_wheel_only_the_named_file_is_written(tmp_path, monkeypatch):
    wheel = tmp_path / "wheel/evil-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    link = zipfile.ZipInfo("evil/link.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("../../outside.csv", "x")
        archive.writestr("/tmp/plumbline-outside.csv", "x")
        archive.writestr(link, "/etc/passwd")
    monkeypatch.setattr(fetching, "_download_wheel", lambda *_: wheel)
    digest = "c46ec56181773f94ba48d0c8bea7fb7a308f0cd5d8f8d6a8b8bd40fe0fd0a1b7"
    with pytest.raises(InputError, match="expected sha256"):
        fetching.fetch(Source.parse("pypi:evil==1.0/evil/link.csv", digest), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    digest = fetching.hashlib.sha256(b"/etc/passwd").hexdigest()
    path = fetching.fetch(Source.parse("pypi:evil==1.0/evil/link.csv", digest), tmp_path / "out")
    assert path.read_text() == "/etc/passwd" and not path.is_symlink()
    assert sorted(one.name for one in tmp_path.rglob("*.csv")) == ["link.csv"]
    assert not Path("/tmp/plumbline-outside.csv").exists()


# --- the report ---------------------------------------------------------------------------------


class Page(HTMLParser):
    """Counts elements, and collects what could run: scripts, handlers, addresses."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.handlers, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.handlers += [
            (tag, name, value)
            for name, value in attrs
            if name.startswith("on")
            or (name in ("href", "src", "xlink:href") and not (value or "").startswith("#"))
        ]

    def handle_data(self, data):
        self.text += data


EVIL = "</script></svg><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}<b>"


def run(program: str, /, **options) -> None:
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    done = subprocess.run(
        [sys.executable, "-m", f"scripts.{program}", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def page_of(folder: Path) -> Page:
    tables, figures = folder / "tables", folder / "figures"
    run("draw_figures", tables=tables, out=figures)
    about = {key: folder / f"{key}.json" for key in ("plan", "manifest")}
    about["answers"] = tables / "answers.json"
    run("write_report", tables=tables, figures=figures, run="t", out=folder / "i.html", **about)
    return Page((folder / "i.html").read_text())


def shown_answers(folder: Path, text: str) -> None:
    """Make the sample of answers from what a model generated, with the programs that do it."""
    instruction = {"id": "e/1", "instruction": f"Tell me about it. {text}", "source": "test"}
    (folder / "instructions.jsonl").write_text(json.dumps({**instruction, "domain": "id"}) + "\n")
    request = Request(id="e/1", instruction="e/1", purpose="responses", prompt="?",
                      sampling=Sampling(max_tokens=8))  # fmt: skip
    write_rows(folder / "requests.jsonl", [request])
    generation = Generation(request="e/1", purpose="responses", index=0, token_ids=[1],
                            text=f"An answer. {text}", finish="stop")  # fmt: skip
    write_rows(folder / "generations.jsonl", [generation])
    files = {name: folder / f"{name}.jsonl" for name in ("instructions", "requests", "generations")}
    run("collect_responses", **files, name="base", stage="s", responses=folder / "responses.jsonl",
        dropped=folder / "dropped.json")  # fmt: skip
    response = json.loads((folder / "responses.jsonl").read_text())
    assert text in response["text"]
    name = response["id"]
    about = {"response": name, "topic": "it", "sentence": 0}
    write_rows(folder / "claims.jsonl", [Claim(id="c", text=f"It is. {text}", **about)])
    verdict = Verdict(claim="c", response=name, verdict="refuted", verifier="table",
                      evidence=[{"title": text, "text": text}])  # fmt: skip
    write_rows(folder / "verdicts.jsonl", [verdict])
    write_rows(folder / "splittings.jsonl", [Splitting(response=name, state="ok", claims=1)])
    names = ("responses", "splittings", "claims", "verdicts")
    row = {"model": "tiny-135m", "seed": 1, "checkpoint": "base"}
    row |= {name: str(folder / f"{name}.jsonl") for name in names}
    run("tabulate_states", rows=listed(folder, [row]), table=folder / "states.csv",
        sample=folder / "tables/responses.json")  # fmt: skip


def test_what_a_model_generates_stays_text_in_the_report(tmp_path):
    folder = write_results(tmp_path / "results")
    shown_answers(folder, "HARMLESS")
    scripts = page_of(folder).tags.count("script")  # the page's own, and its data
    for file in (folder / "tables").glob("*.csv"):  # and names that a configuration chooses
        rows = csv_rows(file)
        for row in rows:
            if "model" in row:
                row["model"] = row["model"].replace("small-360m", f"small {EVIL}")
        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    harmless = page_of(folder)
    shown_answers(folder, EVIL)
    page = page_of(folder)
    assert page.tags.count("script") == scripts
    assert "img" not in page.tags
    assert page.handlers == [("link", "href", "data:,")]
    assert page.tags == harmless.tags  # not one element more or less
    assert page.text.count(EVIL) - harmless.text.count(EVIL) == harmless.text.count("HARMLESS") > 3
    for figure in (folder / "figures").glob("*.svg"):
        drawn = Page(figure.read_text())
        assert "script" not in drawn.tags and "img" not in drawn.tags, figure.name


# --- keys ---------------------------------------------------------------------------------------


class Echo(BaseHTTPRequestHandler):
    """A server that says back every secret it is told, refusing the first request."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        told = self.headers.get("Authorization", "nothing")
        first, self.server.told = self.server.told is None, told
        message = {"role": "assistant", "content": f"True {told}"}
        body = json.dumps({"error": told, "choices": [{"message": message}]}).encode()
        self.send_response(self.server.status if first else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Told", told)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(("status", "ends"), [(503, 0), (401, 1), (400, 1)])
def test_a_key_reaches_the_server_and_nothing_else(tmp_path, status, ends):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.told, server.status = None, status
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    about = {"response": "r", "topic": "Ada", "sentence": 0}
    write_rows(tmp_path / "claims.jsonl", [Claim(id="c", text="Ada baked.", **about)])
    page = {"id": "p", "title": "Ada", "text": "Ada was a baker."}
    (tmp_path / "pages.jsonl").write_text(json.dumps(page) + "\n")
    verifier = {"kind": "endpoint", "url": f"http://127.0.0.1:{server.server_port}/v1",
                "model": "judge", "key_env": "JUDGE_KEY", "retries": 1,
                "passages": {"format": "rows", "source": "file:pages.jsonl"}}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "scripts.verify_claims", "--claims", tmp_path / "claims.jsonl",
         "--verifier", json.dumps(verifier), "--passages", tmp_path / "pages.jsonl",
         "--store", tmp_path / "store", "--verdicts", tmp_path / "verdicts.jsonl"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "JUDGE_KEY": KEY},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    assert done.returncode == ends, done.stderr
    assert server.told == f"Bearer {KEY}"
    assert (tmp_path / "verdicts.jsonl").exists() is (ends == 0)
    assert holders(tmp_path, KEY) == []
    assert KEY not in done.stdout + done.stderr


def test_a_manifest_holds_no_environment(tmp_path):
    config = {"seeds": [1], "device": "cpu"}
    os.environ["HF_TOKEN"] = KEY
    try:
        run(
            "write_manifest",
            config=json.dumps(config),
            trainings=listed(tmp_path, []),
            manifest=tmp_path / "manifest.json",
        )
    finally:
        del os.environ["HF_TOKEN"]
    assert "train" in read_json(tmp_path / "manifest.json")["code"]
    assert holders(tmp_path, KEY) == []


@pytest.mark.parametrize("key", ["key_env", "key", "api_key", "headers"])
def test_a_key_in_a_configuration_is_refused_and_not_repeated(key):
    verifier = {"kind": "endpoint", "url": "http://127.0.0.1:1/v1", "model": "m", key: KEY}
    verifier["passages"] = {"format": "rows", "source": "file:p.jsonl"}
    with pytest.raises(InputError, match=rf"\.{key}: (unknown|expected the name)") as error:
        experiment.load(DEFAULT | {"verification": verifier})
    assert KEY not in str(error.value)


def holders(folder: Path, secret: str) -> list[Path]:
    """Files below a folder that hold a secret."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if secret.encode() in path.read_bytes()]
