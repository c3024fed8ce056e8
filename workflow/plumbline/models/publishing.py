"""What of a results folder goes to a model hub, and how it is sent.

An adapter on a base from the hub is sent as an adapter that names this base. Nobody else could load any
other adapter, since its parent is on no hub, so such a checkpoint is sent merged, as full weights in
float32.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from plumbline.models import checkpoints
from plumbline.models.importing import MARKER
from plumbline.sources.source import Source
from plumbline.storage.files import InputError, read_json, write_json
from plumbline.storage.temporary import SUFFIX, prefix

CARD = "README.md"
TRAINING_FILES = ("examples.jsonl", "pairs.jsonl")
Kind = Literal["model", "dataset"]


def hub_base(folder: Path) -> tuple[str, str | None] | None:
    """Repository and revision of a checkpoint's base on the hub; None: not there, or not its parent."""
    marker = checkpoints.describe(folder)
    if not marker.get("parent"):
        return None
    source = checkpoints.describe(folder / marker["parent"]).get("source")
    if not source or not source.startswith("hub:"):
        return None
    parsed = Source.parse(source)
    return parsed.name, parsed.version


def kind_of(folder: Path) -> Kind:
    """What a folder of results is for a hub. InputError if it is nothing for one, or has no card."""
    checkpoint = (folder / MARKER).exists()
    if not checkpoint and not any((folder / name).exists() for name in TRAINING_FILES):
        raise InputError(
            f"{folder}: contains neither a checkpoint ({MARKER}) nor a training file "
            f"({' or '.join(TRAINING_FILES)}); name the folder of one, below results/."
        )
    if not (folder / CARD).exists() or "plumbline" not in (folder / CARD).read_text("utf-8"):
        raise InputError(f"{folder}: has no card yet; make it with `snakemake cards`.")
    return "model" if checkpoint else "dataset"


@contextmanager
def to_send(folder: Path, work: Path) -> Iterator[Path]:
    """A temporary folder in `work` with what is sent of `folder`, including its card."""
    with tempfile.TemporaryDirectory(
        dir=work, prefix=prefix(f".{folder.name}"), suffix=SUFFIX
    ) as temporary:
        sent = Path(temporary)
        if kind_of(folder) == "dataset":
            for name in (*TRAINING_FILES, "composition.json"):
                if (folder / name).exists():
                    shutil.copy2(folder / name, sent)
        elif checkpoints.describe(folder)["kind"] == "full" or hub_base(folder):
            _copy(folder, sent)
            if (sent / checkpoints.ADAPTER).exists():
                settings = read_json(sent / checkpoints.ADAPTER)
                name, revision = hub_base(folder)
                named = {"base_model_name_or_path": name, "revision": revision}
                write_json(sent / checkpoints.ADAPTER, {**settings, **named})
        else:
            with checkpoints.full_weights(folder, "float32", work) as merged:
                _copy(merged, sent)
        shutil.copy2(folder / CARD, sent)
        yield sent


def _copy(folder: Path, to: Path) -> None:
    """A checkpoint's own files; results of its evaluation are in folders beside them."""
    for path in folder.iterdir():
        if path.is_file() and path.name != MARKER:
            shutil.copy2(path, to)
    templates = folder / "additional_chat_templates"
    if templates.is_dir():
        shutil.copytree(templates, to / templates.name)


def send(folder: Path, repository: str, kind: Kind) -> str:
    """Upload a folder to a repository; if it does not exist, it is created as a private one.

    HF_ENDPOINT names the hub, and the hub's own login (HF_TOKEN) gives the right to write there.
    Returns the address of what was sent. InputError if the hub refuses.
    """
    os.environ.pop("HF_HUB_OFFLINE", None)
    from huggingface_hub import HfApi

    hub = HfApi()
    try:
        hub.create_repo(repository, repo_type=kind, private=True, exist_ok=True)
        sent = hub.upload_folder(
            folder_path=folder,
            repo_id=repository,
            repo_type=kind,
            commit_message="From plumbline",
        )
    except Exception as error:  # its errors have no common base: offline, not allowed, a bad name
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{repository}: the hub at {hub.endpoint} did not take it ({first}). Check the name, the "
            f"login (HF_TOKEN, or `hf auth login`) and the network; then send again."
        ) from error
    return sent.commit_url
