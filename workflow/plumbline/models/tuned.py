"""Models that were tuned elsewhere: full weights, or a LoRA adapter of PEFT, beside their base.

They become checkpoints whose parent is the imported base, in the precision that they have.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from plumbline.models import checkpoints
from plumbline.models.checkpoints import ADAPTER, WEIGHTS, describe, load_model, load_tokenizer
from plumbline.models.importing import MARKER, import_model, loading
from plumbline.models.rounding import cosines
from plumbline.models.suitability import Needs
from plumbline.storage.files import InputError, read_json, write_json

log = logging.getLogger("plumbline")
MERGE = (
    "Merge it into its base (merge_and_unload, save_pretrained) and name the merged model's folder."
)
_DTYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}  # safetensors' names


def import_tuned(
    path: Path,
    out: Path,
    name: str,
    base: Path,
    trust_remote_code: bool = False,
    source: str = "",
    needs: Needs | None = None,
) -> dict:
    """Turn a tuned model into a checkpoint folder with `base` as its parent; returns its marker.

    path: a Hugging Face folder or GGUF file of full weights, a folder with a LoRA adapter, or a
    checkpoint folder of this workflow. An adapter is used like the base, with its tokenizer and chat
    template. The rest is as in `importing.import_model`.

    Raises InputError if that does, for adapters of another kind or with weights that do not fit the
    base, for models without any weight of the base's names and shapes, and for models that change no
    weight.
    """
    if _is_adapter(path):
        _import_adapter(path, out, name, base)
    else:
        kwargs = describe(base).get("chat_template_kwargs", {})
        dtype = _stored_dtype(path) or describe(base)["dtype"]
        import_model(path, out, name, dtype, trust_remote_code, source, needs, kwargs)
    marker = {
        **describe(out),
        "parent": os.path.relpath(base, out),
        "parent_weights_sha256": describe(base)["weights_sha256"],
        "source": source or str(path),
    }
    write_json(out / MARKER, marker)
    marker["rounding_cosine"] = _rounding(path, out)
    write_json(out / MARKER, marker)
    log.info(f"{name}: {marker['kind']} weights, tuned from {describe(base)['name']}")
    return marker


def _is_adapter(path: Path) -> bool:
    """Whether a folder contains an adapter and no model; its trainer may have left a config.json."""
    whole = any(file.name != WEIGHTS for file in path.glob("*.safetensors"))
    return (path / ADAPTER).is_file() and not whole


def _import_adapter(path: Path, out: Path, name: str, base: Path) -> None:
    settings = read_json(path / ADAPTER)
    kind = settings.get("peft_type")
    if kind != "LORA" or settings.get("use_dora"):
        found = "DoRA" if kind == "LORA" else kind
        raise InputError(f"{path / ADAPTER}: an adapter of kind {found}, expected LoRA. {MERGE}")
    if not (path / WEIGHTS).is_file():
        raise InputError(
            f"{path}: an adapter without {WEIGHTS}; pickled weights are not read, as they can run "
            f"code. Save it again with this version of PEFT. Or: {MERGE}"
        )
    tokenizer = _bases_tokenizer(path, base)
    if (path / MARKER).is_file() and not _is_on(path, base):
        # From this workflow, and trained on top of another adapter.
        _check_root(path, base)
        merged = load_model(path, "float32")
        checkpoints.write_full(out, name, base, merged.save_pretrained, tokenizer, dtype="float32")
        return
    _check_fit(path, base)

    def copied(folder: Path) -> None:
        for file in (ADAPTER, WEIGHTS):
            shutil.copyfile(path / file, folder / file)

    log.info(f"{name}: made on {settings.get('base_model_name_or_path')!r}, as the adapter says")
    checkpoints.write_adapter(out, name, base, copied, tokenizer)


def _is_on(path: Path, base: Path) -> bool:
    """Whether an adapter of this workflow was trained on these weights."""
    return describe(path).get("parent_weights_sha256") == describe(base)["weights_sha256"]


def _check_root(path: Path, base: Path) -> None:
    """InputError unless the checkpoints below an adapter of this workflow end at the base."""
    folder = path
    while parent := describe(folder).get("parent"):
        folder = (folder / parent).resolve()
    if describe(folder)["weights_sha256"] != describe(base)["weights_sha256"]:
        raise InputError(
            f"{path}: was tuned from {describe(folder)['name']} in {folder}, which has other weights "
            f"than the base, {base}. Name the model that it was tuned from, in the same precision."
        )


def _check_fit(path: Path, base: Path) -> None:
    """InputError unless the adapter has exactly the weights that fit the base."""
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    with loading(path, "an adapter of this base", f"Was it made on this base? {MERGE}"):
        model = PeftModel.from_pretrained(load_model(base, "float32"), str(path))
    with safe_open(path / WEIGHTS, "pt") as stored:
        there = set(stored.keys())
    wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    if there != wanted:
        example = min(there ^ wanted)
        wrong = "is in neither place of the base" if example in there else "is missing"
        raise InputError(
            f"{path / WEIGHTS}: does not fit the base: {len(there ^ wanted)} weights differ, among "
            f"them {example}, which {wrong}. Was it made on this base? {MERGE}"
        )


def _bases_tokenizer(path: Path, base: Path):
    """The base's tokenizer. InputError if the adapter brings one with another vocabulary."""
    from transformers import AutoTokenizer

    tokenizer = load_tokenizer(base)
    if not (path / "tokenizer_config.json").is_file():
        return tokenizer
    with loading(path, "a tokenizer", "Remove its files, if it is the base's."):
        own = AutoTokenizer.from_pretrained(path, local_files_only=True)
    if own.get_vocab() != tokenizer.get_vocab():
        raise InputError(f"{path}: its tokenizer has other tokens than the base's. {MERGE}")
    if own.chat_template != tokenizer.chat_template:
        log.warning(f"{path}: has a chat template of its own; it is asked in the base's")
    return tokenizer


def _stored_dtype(path: Path) -> str | None:
    """The widest type among a folder's weights; None for a GGUF file, which has other types."""
    from safetensors import safe_open

    found = set()
    for file in sorted(path.glob("*.safetensors")):
        with loading(file, "safetensors", "Get it again."), safe_open(file, "pt") as stored:
            found |= {stored.get_slice(key).get_dtype() for key in stored.keys()}  # noqa: SIM118
    return next((name for kind, name in _DTYPES.items() if kind in found), None)


def _rounding(path: Path, out: Path) -> dict[str, float]:
    """As `checkpoints.note_rounding`; InputError if no weight is the base's, or if none changed."""
    import torch

    seen = Counter()

    def counted() -> Iterator[tuple]:
        for before, after in checkpoints.changes(out):
            seen["weights"] += 1
            seen["changed"] += not torch.equal(before, after)
            yield before, after

    kept = cosines(counted())
    if not seen["weights"]:
        raise InputError(
            f"{path}: has no weight in common with the base, by name and shape. Was it tuned from it?"
        )
    if not seen["changed"]:
        raise InputError(f"{path}: its weights are the base's; nothing was tuned.")
    return kept
