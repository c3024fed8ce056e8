from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from plumbline.sources.fetching import MARKER, fetch, read_marker
from plumbline.sources.source import Source, slug
from plumbline.storage.files import InputError

DATA = bytes(range(256)) * 9000  # over 2 MB: more than one chunk
PROGRAM = Path(__file__).parents[2] / "workflow/scripts/fetch_source.py"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- the line -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hub:org/some.model@v1.0", ("hub", "org/some.model", "v1.0", None)),
        ("hub:org/m@abc/sub/m.gguf", ("hub", "org/m", "abc", "sub/m.gguf")),
        ("hub-dataset:org/d@abc/a/b.parquet", ("hub-dataset", "org/d", "abc", "a/b.parquet")),
        ("file:../models/x", ("file", "../models/x", None, None)),
    ],
)
def test_parts_of_a_line(text, expected):
    source = Source.parse(text)
    assert (source.kind, source.name, source.version, source.member) == expected


@pytest.mark.parametrize(
    ("text", "sha256", "complaint"),
    [
        ("hub:org/model", None, "revision is missing"),
        ("hub:model@main", None, "not of the form hub:OWNER/NAME@REVISION"),
        ("hub:org/model@v1", sha(b""), "Remove sha256"),
        ("hub-dataset:org/d@v1", None, "not of the form hub-dataset"),
        ("https://example.org/x.csv", None, "sha256 is missing"),
        ("https:///x.csv", sha(b""), "no host"),
        ("http://example.org/x.csv", sha(b""), "unknown kind"),
        ("ftp://example.org/x.csv", sha(b""), "unknown kind"),
        ("org/model", None, "unknown kind"),
        ("pypi:pkg/data.csv", sha(b""), "not of the form pypi:NAME==VERSION"),
        ("pypi:pkg>=1.0/data.csv", sha(b""), "not of the form pypi:NAME==VERSION"),
        ("pypi:--index-url==1/data.csv", sha(b""), "not of the form pypi:NAME==VERSION"),
        ("pypi:pkg==1.*/data.csv", sha(b""), "not of the form pypi:NAME==VERSION"),
        ("pypi:pkg==1.0/data.csv", None, "sha256 is missing"),
        ("pypi:pkg==1.0/data.csv", "abc", "64 lowercase hex"),
        ("pypi:pkg==1.0/../../etc/passwd", sha(b""), "leaves the wheel"),
        ("pypi:pkg==1.0/a\\..\\b", sha(b""), "leaves the wheel"),
        ("hub:org/m@v1/../../x", None, "leaves the wheel or repository"),
    ],
)
def test_a_wrong_line_is_refused_before_any_network(text, sha256, complaint):
    with pytest.raises(InputError, match=complaint) as error:
        Source.parse(text, sha256)
    assert repr(text) in str(error.value)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(InputError, match="remove the password") as error:
        Source.parse("https://user:secret@example.org/x", sha(b""))
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("query", ["token=hush", "a=1&api_key=hush", "X-Amz-Signature=hush"])
@pytest.mark.parametrize("digest", [sha(b""), None])
def test_a_key_in_an_address_is_refused_and_not_repeated(query, digest):
    with pytest.raises(InputError, match=r"looks like a secret.*=\$NAME") as error:
        Source.parse(f"https://example.org/x?{query}", digest)
    assert "hush" not in str(error.value)


def test_an_address_with_a_variable_that_is_not_set(monkeypatch):
    monkeypatch.delenv("PLUMBLINE_KEY", raising=False)
    with pytest.raises(InputError, match=r"\$PLUMBLINE_KEY is not set"):
        Source.parse("https://example.org/x?key=$PLUMBLINE_KEY", sha(b""))
    monkeypatch.setenv("PLUMBLINE_KEY", "two\nlines")
    with pytest.raises(InputError, match="no address may") as error:
        Source.parse("https://example.org/x?key=$PLUMBLINE_KEY", sha(b""))
    assert "lines" not in str(error.value)


def test_slugs_are_safe_and_distinct():
    one = slug(Source.parse("pypi:pkg==1.0/a b/ü$.csv", sha(b"")))
    other = slug(Source.parse("pypi:pkg==1.1/a b/ü$.csv", sha(b"")))
    assert one != other
    assert not set(one) - set("abcdefghijklmnopqrstuvwxyz0123456789.-_")
    assert slug(Source.parse("file:/models/Tiny-1B/")).startswith("Tiny-1B-")


# --- file ---------------------------------------------------------------------------------------


def test_a_local_folder_is_used_where_it_is(tmp_path):
    model = tmp_path / "model"
    (model / "sub").mkdir(parents=True)
    (model / "sub/a.txt").write_bytes(b"a")
    (model / ".git").mkdir()
    (model / ".git/config").write_bytes(b"hidden")
    source = Source.parse(f"file:{model}")
    assert fetch(source, tmp_path / "out") == model
    marker = json.loads((tmp_path / "out" / MARKER).read_text())
    assert marker["files"] == {"sub/a.txt": sha(b"a")}
    assert read_marker(tmp_path / "out" / MARKER) == (source.text, model)
    (model / "sub/a.txt").write_bytes(b"changed")
    fetch(source, tmp_path / "out")
    marker = json.loads((tmp_path / "out" / MARKER).read_text())
    assert marker["files"] == {"sub/a.txt": sha(b"changed")}


def test_a_local_file_must_exist_and_have_its_sha256(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        fetch(Source.parse(f"file:{tmp_path}/absent"), tmp_path / "out")
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(InputError, match=f"expected sha256 {sha(b'y')}, found {sha(b'x')}"):
        fetch(Source.parse(f"file:{tmp_path}/x", sha(b"y")), tmp_path / "out")
    assert not (tmp_path / "out" / MARKER).exists()


# --- https, against a server on this machine ------------------------------------------------------


@contextmanager
def serving(respond):
    """A server on the loopback; `respond(handler)` answers each request. Yields address, log."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.command, self.path, dict(self.headers)))
            respond(self)

        do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(handler, body: bytes, status: int = 200, claim: int | None = None, **headers) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if claim is None else claim))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    if handler.command == "GET":
        handler.wfile.write(body)


def test_a_download_is_checked_kept_and_repaired(tmp_path):
    with serving(lambda handler: answer(handler, DATA)) as (address, seen):
        source = Source.parse(f"{address}/some/data.bin?x=1", sha(DATA))
        path = fetch(source, tmp_path)
        assert path == tmp_path / "data.bin"
        assert path.read_bytes() == DATA
        assert json.loads((tmp_path / MARKER).read_text())["path"] == "data.bin"
        assert fetch(source, tmp_path) == path
        assert len(seen) == 1  # the second fetch found it intact
        path.write_bytes(DATA[:-1] + b"?")
        fetch(source, tmp_path)
        assert path.read_bytes() == DATA
        assert len(seen) == 2
    assert fetch(source, tmp_path) == path  # and now without the server
    (tmp_path / MARKER).unlink()
    assert fetch(source, tmp_path) == path


def test_a_key_from_the_environment_is_sent_and_kept_nowhere(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("PLUMBLINE_KEY", "hush")
    caplog.set_level("DEBUG")
    with serving(lambda handler: answer(handler, DATA)) as (address, seen):
        source = Source.parse(f"{address}/data.bin?v=1&key=$PLUMBLINE_KEY", sha(DATA))
        assert fetch(source, tmp_path).read_bytes() == DATA
    assert [path for _, path, _ in seen] == ["/data.bin?v=1&key=hush"]
    (tmp_path / "data.bin").write_bytes(b"damaged")
    with pytest.raises(InputError, match="could not be fetched") as error:
        fetch(source, tmp_path)
    told = [str(error.value), caplog.text, repr(source), (tmp_path / MARKER).read_text()]
    assert "hush" not in "".join(told) and "$PLUMBLINE_KEY" in told[-1]


@pytest.mark.parametrize(
    ("respond", "complaint"),
    [
        (lambda h: answer(h, b"other"), f"expected sha256 {sha(DATA)}, found {sha(b'other')}"),
        (lambda h: answer(h, DATA[:1000], claim=len(DATA)), "could not be fetched"),
        (lambda h: answer(h, b"", status=404), "Not Found"),
    ],
    ids=["wrong", "truncated", "absent"],
)
def test_a_bad_download_leaves_nothing(tmp_path, respond, complaint):
    with serving(respond) as (address, _):
        source = Source.parse(f"{address}/data.bin", sha(DATA))
        with pytest.raises(InputError, match=complaint) as error:
            fetch(source, tmp_path)
    assert source.text in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_without_network_a_file_put_by_hand_is_used_if_it_is_the_right_one(tmp_path):
    with serving(lambda handler: answer(handler, DATA)) as (address, _):
        pass  # the port is closed again
    source = Source.parse(f"{address}/data.bin", sha(DATA))
    with pytest.raises(InputError, match="by hand") as error:
        fetch(source, tmp_path)
    assert str(tmp_path / "data.bin") in str(error.value)
    (tmp_path / "data.bin").write_bytes(DATA[:-1])
    with pytest.raises(InputError, match="could not be fetched"):
        fetch(source, tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == DATA[:-1]  # the user's file is not taken away
    (tmp_path / "data.bin").write_bytes(DATA)
    assert fetch(source, tmp_path) == tmp_path / "data.bin"
    assert (tmp_path / MARKER).exists()


# --- pypi, with the real pip and a folder of wheels -----------------------------------------------


@pytest.fixture
def wheels(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "facts_kit-1.2.dist-info"
    with zipfile.ZipFile(folder / "facts_kit-1.2-py3-none-any.whl", "w") as archive:
        archive.writestr("facts_kit/data/facts.csv", DATA)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: facts-kit\nVersion: 1.2")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_file_inside_a_wheel(tmp_path, wheels):
    source = Source.parse("pypi:facts-kit==1.2/facts_kit/data/facts.csv", sha(DATA))
    path = fetch(source, tmp_path / "out")
    assert path.read_bytes() == DATA
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["facts.csv", MARKER]
    for wheel in wheels.iterdir():
        wheel.unlink()
    assert fetch(source, tmp_path / "out") == path


@pytest.mark.parametrize(
    ("text", "sha256", "complaint"),
    [
        ("pypi:facts-kit==1.2/facts_kit/data/x.csv", sha(DATA), "It has: facts_kit/data/facts.csv"),
        ("pypi:facts-kit==1.3/facts_kit/data/facts.csv", sha(DATA), "No matching distribution"),
        ("pypi:facts-kit==1.2/facts_kit/data/facts.csv", sha(b"?"), f"found {sha(DATA)}"),
    ],
    ids=["missing member", "missing version", "wrong sha256"],
)
def test_a_file_that_is_not_in_the_wheel(tmp_path, wheels, text, sha256, complaint):
    with pytest.raises(InputError, match=complaint) as error:
        fetch(Source.parse(text, sha256), tmp_path / "out")
    assert text in str(error.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_wheel(tmp_path, wheels):
    wheel = next(wheels.iterdir())
    wheel.write_bytes(wheel.read_bytes()[:-100])
    source = Source.parse("pypi:facts-kit==1.2/facts_kit/data/facts.csv", sha(DATA))
    with pytest.raises(InputError, match="could not be fetched"):
        fetch(source, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


# --- hub, the real client against a stand-in for the hub on this machine --------------------------

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = DATA
REPOSITORY = {
    "config.json": b'{"model_type": "llama"}',
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"a pickle",
    "README.md": b"words",
}


def hub(served=None, gated: bool = False):
    """Answers the routes that the hub's client asks for, for one repository."""
    files = REPOSITORY | (served or {})

    def describe(name: str) -> dict:
        entry = {"type": "file", "path": name, "size": len(REPOSITORY[name]), "oid": "f" * 40}
        if name == "model.safetensors":
            entry["lfs"] = {
                "oid": sha(WEIGHTS),
                "size": len(WEIGHTS),
                "pointerSize": 134,
            }
        return entry

    def respond(handler):
        path = handler.path.partition("?")[0]
        if gated and handler.headers.get("Authorization") != "Bearer hf_secret":
            answer(handler, b"{}", 401, X_Error_Code="GatedRepo", X_Error_Message="Terms first")
        elif path.startswith(("/api/models/org/tiny/revision/", "/api/models/org/tiny/tree/")):
            if path.split("/")[6] not in (COMMIT, "v1"):
                answer(handler, b"{}", 404, X_Error_Code="RevisionNotFound")
            elif "/tree/" in path:
                body = json.dumps([describe(name) for name in REPOSITORY]).encode()
                answer(handler, body, Content_Type="application/json")
            else:
                siblings = [{"rfilename": name} for name in REPOSITORY]
                body = json.dumps({"id": "org/tiny", "sha": COMMIT, "siblings": siblings})
                answer(handler, body.encode(), Content_Type="application/json")
        elif path.startswith(f"/org/tiny/resolve/{COMMIT}/"):
            name = path.rpartition("/")[2]
            large = name == "model.safetensors"
            etag = sha(WEIGHTS) if large else hashlib.sha1(files[name]).hexdigest()
            answer(handler, files[name], ETag=f'"{etag}"', X_Repo_Commit=COMMIT)
        else:
            answer(handler, b"{}", 404, X_Error_Code="RepoNotFound")

    return respond


def fetch_from_hub(
    tmp_path, endpoint: str, line: str, **environment
) -> subprocess.CompletedProcess:
    """Run the program in a process of its own: the client reads its environment when imported."""
    return subprocess.run(
        [
            *(sys.executable, PROGRAM, "--source", line, "--folder", tmp_path / "out"),
            *("--marker", tmp_path / "out" / MARKER),
        ],
        env=os.environ
        | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
        | {"PYTHONPATH": str(PROGRAM.parents[1]), "HF_TOKEN": ""}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_model_from_a_hub_stand_in_then_without_it(tmp_path):
    with serving(hub()) as (endpoint, seen):
        done = fetch_from_hub(tmp_path, endpoint, "hub:org/tiny@v1")
        assert done.returncode == 0, done.stderr
        assert not any("pytorch_model.bin" in path for _, path, _ in seen)
        assert not any("Authorization" in headers for _, _, headers in seen)
    _, path = read_marker(tmp_path / "out" / MARKER)
    assert (path / "model.safetensors").read_bytes() == WEIGHTS
    assert sorted(p.name for p in path.iterdir()) == ["config.json", "model.safetensors"]
    assert path.name == COMMIT
    assert f"v1 is commit {COMMIT}" in done.stderr
    done = fetch_from_hub(tmp_path, "http://127.0.0.1:9", "hub:org/tiny@v1")
    assert "intact" in done.stderr
    (tmp_path / "out" / MARKER).unlink()
    line = f"hub:org/tiny@{COMMIT}"
    done = fetch_from_hub(tmp_path, "http://127.0.0.1:9", line, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert read_marker(tmp_path / "out" / MARKER) == (line, path)


def test_one_file_from_a_hub_stand_in_with_a_token(tmp_path):
    line = f"hub:org/tiny@{COMMIT}/model.safetensors"
    with serving(hub(gated=True)) as (endpoint, _):
        refused = fetch_from_hub(tmp_path, endpoint, line)
        assert refused.returncode == 1
        assert "HF_TOKEN" in refused.stderr
        done = fetch_from_hub(tmp_path, endpoint, line, HF_TOKEN="hf_secret")
    assert done.returncode == 0, done.stderr
    assert "hf_secret" not in done.stderr + (tmp_path / "out" / MARKER).read_text()
    assert read_marker(tmp_path / "out" / MARKER)[1].read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("hub:org/tiny@v2", "Check the name and revision"),
        ("hub:org/absent@v1", "Check the name and revision"),
    ],
)
def test_what_a_hub_stand_in_does_not_have(tmp_path, line, complaint):
    with serving(hub()) as (endpoint, _):
        done = fetch_from_hub(tmp_path, endpoint, line)
    assert done.returncode == 1
    assert f"source '{line}'" in done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / MARKER).exists()


def test_corrupted_weights_from_a_hub_stand_in(tmp_path):
    damaged = WEIGHTS[:-1] + b"?"
    with serving(hub({"model.safetensors": damaged})) as (endpoint, _):
        done = fetch_from_hub(tmp_path, endpoint, f"hub:org/tiny@{COMMIT}")
    assert done.returncode == 1
    assert "model.safetensors is damaged" in done.stderr
    assert not (tmp_path / "out" / MARKER).exists()


def test_a_path_may_name_a_variable_of_the_environment(monkeypatch):
    monkeypatch.setenv("PLUMBLINE_DATA", "/data/of mine")
    assert Source.parse("file:$PLUMBLINE_DATA/arc.jsonl").name == "/data/of mine/arc.jsonl"
    assert Source.parse("file:~/arc.jsonl").name == str(Path.home() / "arc.jsonl")
    monkeypatch.delenv("PLUMBLINE_DATA")
    with pytest.raises(InputError, match=r"\$PLUMBLINE_DATA is not set.*write the path out"):
        Source.parse("file:$PLUMBLINE_DATA/arc.jsonl")
