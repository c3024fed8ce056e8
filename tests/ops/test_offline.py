"""After `fetch`, a run needs no network: it is made in a namespace that has none."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from project import ROOT, Project
from tiny import tiny_model

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1800)]
ALONE = [
    *("unshare", "--map-root-user", "--net"),
    *(sys.executable, str(Path(__file__).with_name("no_network.py"))),
]
SMALL = ROOT / "tests/e2e/small.yaml"
TINY = """
run: tiny
models: [{{name: tiny, source: "file:model", dtype: float32}}]
facts: {{source: rows, path: "{address}", sha256: {sha256}}}
slick: {{exemplar_sets: 2, shots: 2, samples: 2, limit: {{train: 4, dev: 4, test: 4}}}}
generation: {{engine: {engine}, dtype: float32, max_model_len: 512, kv_cache_gib: 0.1}}
evaluation: {{choices: [], long_form: null, token_shift: null}}
grath: null
flame: null
apeft: null
"""


def can_be_alone() -> bool:
    """Whether this system lets us have a network namespace."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True).returncode == 0


needs_namespace = pytest.mark.skipif(
    not can_be_alone(), reason="this system allows no network namespace (unshare --net)"
)


def alone(project: Project, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess:
    """Run Snakemake without a network, with what a user's shell has and no hub variables."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        [*ALONE, sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=project.folder,
        env=environment | {"NO_COLOR": "1"},
        text=True,
        timeout=timeout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture
def served(tmp_path):
    """A folder, and the address under which it is served as long as the test wants."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def project(tmp_path, served):
    """A project with a tiny model and questions that lie on a server."""
    folder, address = served
    rows = [
        {
            **{"relation": "capital", "subject": f"land {n}", "answers": [f"town {n}"]},
            "question": f"What is the capital of land {n}?",
            "split": split,
        }
        for n, split in enumerate(["train"] * 8 + ["dev"] * 8 + ["test"] * 8)
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (folder / "rows.jsonl").write_bytes(content)
    (tmp_path / "project").mkdir()
    made = Project(tmp_path / "project")
    tiny_model(made.folder / "model", ["capital", "land", "town"])
    sha256 = hashlib.sha256(content).hexdigest()
    for engine in ("transformers", "vllm"):
        settings = TINY.format(address=f"{address}/rows.jsonl", sha256=sha256, engine=engine)
        (made.folder / f"{engine}.yaml").write_text(settings)
    return made


@needs_namespace
@pytest.mark.parametrize("engine", ["transformers", "vllm"])
def test_after_fetch_nothing_needs_the_network(project, engine):
    """Facts, import of the model, generation and annotation."""
    if engine == "vllm":
        pytest.importorskip("vllm", reason="vLLM is not installed here")
    project.snakemake("fetch", "--configfile", f"{engine}.yaml")
    done = alone(project, "slick", "--configfile", f"{engine}.yaml")
    assert done.returncode == 0, done.stdout[-4000:]
    found = project.folder / "results/tiny/tiny/slick/annotations.jsonl"
    assert len(found.read_text().splitlines()) == 12


@needs_namespace
def test_a_missing_file_is_told_with_its_source_and_its_place(project, served):
    """And put there by hand, it is used."""
    done = alone(project, "facts", "--configfile", "transformers.yaml")
    assert done.returncode != 0 and "Traceback" not in done.stdout
    (line,) = {one for one in done.stdout.splitlines() if "could not be fetched" in one}
    (place,) = (project.folder / "results/sources").glob("rows.jsonl-*")
    assert f"source '{served[1]}/rows.jsonl'" in line
    assert f"put the file at {place.relative_to(project.folder)}/rows.jsonl by hand" in line
    shutil.copy(served[0] / "rows.jsonl", place)
    done = alone(project, "facts", "--configfile", "transformers.yaml")
    assert done.returncode == 0, done.stdout[-4000:]


@needs_namespace
@pytest.mark.e2e
@pytest.mark.whole
def test_the_whole_small_run_without_network(tmp_path):
    """10 minutes."""
    project = Project(tmp_path)
    project.snakemake("fetch", "--configfile", str(SMALL), timeout=900)
    done = alone(project, "--configfile", str(SMALL), timeout=1700)
    assert done.returncode == 0, done.stdout[-4000:]
    assert (project.folder / "results/small/report/index.html").exists()
