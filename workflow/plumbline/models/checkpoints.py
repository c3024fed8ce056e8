"""Checkpoint folders: full weights, or an adapter that names its parent.

Every folder has a `checkpoint.json`, written last: name, kind ("full" or "adapter"), weights_sha256,
and for an adapter `parent`, the parent's folder relative to its own. The digest of an adapter's
weights covers its parent's, so equal digests mean equal models. For a trained checkpoint, it also says
how much of the training remains after rounding to narrower types (`rounding_cosine`).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plumbline.models.importing import MARKER, loading, new_folder, weights_digest
from plumbline.models.rounding import ENOUGH, NARROW, cosines
from plumbline.storage.files import InputError, read_json, sha256_file, sha256_json, write_json
from plumbline.storage.temporary import MERGED, prefix

ADAPTER = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
REMEDY = (
    "It is damaged or incomplete; remove its folder (for a tuned checkpoint, with the training.json "
    "beside it) and run the workflow again."
)
TRUST = "trust_remote_code"
# All other files of a checkpoint are its tokenizer's, under any names if it brings its own code.
# Results of its evaluation are in folders beside them.
NO_TEXT = (MARKER, ADAPTER, "config.json", "generation_config.json", "README.md")
MERGE_TOLERANCE = 1e-3  # of a logit, in float32
MERGED_ALIKE = 0.5  # of the positions


def describe(folder: Path) -> dict:
    """The folder's `checkpoint.json`. InputError if the checkpoint is not complete."""
    again = "this is not a complete checkpoint. Make it with the workflow."
    if not (folder / MARKER).exists():
        raise InputError(f"{folder}: no {MARKER}; {again}")
    marker = read_json(folder / MARKER)
    needed = ["name", "kind", "weights_sha256"]
    if isinstance(marker, dict) and marker.get("kind") == "adapter":
        needed += ["parent", "parent_weights_sha256"]
    if missing := [key for key in needed if not isinstance(marker, dict) or key not in marker]:
        raise InputError(f"{folder / MARKER}: has no {', '.join(missing)}; {again}")
    return marker


def trusts_code(folder: Path) -> bool:
    """Whether Python that came with the model may run; tuned checkpoints inherit it from the base."""
    return describe(folder).get(TRUST, False)


def answers_digest(folder: Path) -> str:
    """Digest of what determines a checkpoint's answers: weights, tokenizer, and what ends an answer."""
    files = {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in (*folder.iterdir(), *folder.glob("additional_chat_templates/*"))
        if path.is_file() and path.suffix != ".safetensors" and path.name not in NO_TEXT
    }
    return sha256_json([describe(folder)["weights_sha256"], files, sorted(listed_ends(folder))])


def listed_ends(folder: Path) -> set[int]:
    """Tokens that end an answer, by the generation config of the model or of an adapter's base."""
    marker = describe(folder)
    while marker["kind"] == "adapter":
        folder, weights = folder / marker["parent"], marker["parent_weights_sha256"]
        marker = describe(folder)
        if marker["weights_sha256"] != weights:
            break  # it is not its parent, which loading reports where it matters
    path = folder / "generation_config.json"
    listed = read_json(path).get("eos_token_id") if path.exists() else None
    return set(listed if isinstance(listed, list) else [listed]) - {None}


def load_tokenizer(folder: Path):
    """The checkpoint's tokenizer."""
    from transformers import AutoTokenizer

    options = {"local_files_only": True, "trust_remote_code": trusts_code(folder)}
    with loading(folder, "a tokenizer", REMEDY):
        return AutoTokenizer.from_pretrained(folder, **options)


def load_full(folder: Path, dtype: str, **options):
    """A checkpoint of full weights, on the CPU; options go to `from_pretrained`."""
    import torch
    from transformers import AutoModelForCausalLM

    with loading(folder, "a model", REMEDY):
        return AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            trust_remote_code=trusts_code(folder),
            local_files_only=True,
            use_safetensors=True,
            **options,
        )


def load_model(folder: Path, dtype: str):
    """The checkpoint with its adapters (and its ancestors') merged in, on the CPU.

    Raises InputError when an adapter was trained on another parent than the one that is there, and when
    rounding to `dtype` would remove too much of a training (see `check_rounding`).
    """
    import torch

    check_rounding(folder, dtype)
    marker = describe(folder)
    if marker["kind"] == "full":
        return load_full(folder, dtype)
    # Merged in float32: adding a small update to bfloat16 weights would round it away.
    model = _with_adapter(folder).merge_and_unload()
    model.config.name_or_path = str(folder)  # for messages; it is not saved
    # Trainable like any other model: see generation.greedy on what a frozen head costs on a CPU.
    return model.to(getattr(torch, dtype)).requires_grad_(True)


def load_parent(folder: Path, dtype: str):
    """The checkpoint to train an adapter on, on the CPU: exactly the weights it is later merged into.

    They are in `dtype` if they are stored in it, otherwise in float32.
    """
    marker = describe(folder)
    stored = marker["kind"] == "full" and marker.get("dtype") == dtype
    return load_model(folder, dtype if stored else "float32")


def load_with_adapter(folder: Path, dtype: str):
    """An adapter checkpoint with its own adapter not merged in, on the CPU.

    Under `disable_adapter()` it equals its parent, whose adapters are merged: two models in the
    memory of one. Raises InputError like `load_model`.
    """
    import torch

    check_rounding(folder, dtype)
    model = _with_adapter(folder).to(getattr(torch, dtype))
    return model.requires_grad_(True)  # as in load_model


def check_rounding(folder: Path, dtype: str) -> None:
    """InputError if `dtype` leaves less than ENOUGH of the training of the checkpoint or an ancestor.

    Needs what `note_rounding` wrote.
    """
    while dtype in NARROW and (marker := describe(folder)).get("parent"):
        if "rounding_cosine" not in marker:
            raise InputError(f"{folder / MARKER}: has no rounding_cosine. {REMEDY}")
        cosine = marker["rounding_cosine"][dtype]
        if cosine < ENOUGH:
            raise InputError(
                f"{folder}: {dtype} is too coarse for it: after rounding, the change that training "
                f"made has cosine {cosine:.2f} with itself before, at least {ENOUGH} is needed. Set "
                f"the dtype "
                f"(generation.dtype, scoring.dtype or evaluation.token_shift.dtype) to float32."
            )
        folder = (folder / marker["parent"]).resolve()
        there = (folder / MARKER).exists()
        if not there or describe(folder)["weights_sha256"] != marker["parent_weights_sha256"]:
            return  # not its parent, which loading says where it matters


def note_rounding(folder: Path) -> dict[str, float]:
    """Measure how much of a checkpoint's training narrower types leave, and record it there."""
    marker = describe(folder)
    kept = cosines(changes(folder))
    write_json(folder / MARKER, {**marker, "rounding_cosine": kept})
    return kept


def changes(folder: Path) -> Iterator[tuple]:
    """Each tuned weight of a checkpoint before and after, in float32.

    For full weights, only those that have the same shape in the parent: elsewhere, a vocabulary may
    have been enlarged.
    """
    marker = describe(folder)
    if marker["kind"] == "full":
        parent = load_model((folder / marker["parent"]).resolve(), "float32")
        before = dict(parent.named_parameters())
        for name, after in load_full(folder, "float32").named_parameters():
            if name in before and before[name].shape == after.shape:
                yield before[name].detach(), after.detach()
        return
    for layer in adapted_layers(_with_adapter(folder)):
        before = frozen(layer).detach()
        for name in layer.active_adapters:
            yield before, before + layer.get_delta_weight(name).detach()


def adapted_layers(model) -> list:
    """The layers of a PEFT model that have an adapter."""
    return [m for m in model.modules() if hasattr(m, "merge") and hasattr(m, "lora_A")]


def frozen(layer):
    """The weight below an adapter; for experts, one of several in a layer."""
    return layer.get_param() if hasattr(layer, "get_param") else layer.get_base_layer().weight


def check_merge(folder: Path, texts: list[list[int]]) -> float:
    """How far logits differ between the adapter on its parent and the merged weights (float32).

    texts: token ids. At half of their positions, no logit differs more. A wrong merge shows at
    nearly all positions; at single ones, such as BOS, a router of experts may have a tie that the
    last digit decides. Raises InputError when the difference is above MERGE_TOLERANCE, or when the
    adapter changes nothing.
    """
    import torch

    model = _with_adapter(folder).eval()
    if not any(p.any() for name, p in model.named_parameters() if "lora_B" in name):
        raise InputError(f"{folder}: the adapter is zero: training did not change it.")
    rows = [torch.tensor([text]) for text in texts]
    with torch.no_grad():
        apart = [model(row).logits for row in rows]
        merged = model.merge_and_unload()
        differences = torch.cat([
            (merged(row).logits - logits).abs().amax(-1)[0]
            for row, logits in zip(rows, apart, strict=True)
        ])  # fmt: skip
    worst = float(torch.quantile(differences, MERGED_ALIKE, interpolation="higher"))  # NaN stays
    if not worst <= MERGE_TOLERANCE:
        raise InputError(
            f"{folder}: merged into its parent, the adapter gives other logits (by {worst:.2g}, "
            f"allowed {MERGE_TOLERANCE:g}); its layers or scale do not fit this version of PEFT."
        )
    return worst


def parent_of(folder: Path) -> Path:
    """The folder of an adapter's parent. InputError if either is not what was trained and saved."""
    marker = describe(folder)
    parent = (folder / marker["parent"]).resolve()
    of_parent = describe(parent)
    if of_parent["weights_sha256"] != marker["parent_weights_sha256"]:
        raise InputError(
            f"{folder}: the adapter was trained on a parent with weights "
            f"{marker['parent_weights_sha256'][:12]}, but {parent} has "
            f"{of_parent['weights_sha256'][:12]}; train it again on this parent."
        )
    named = read_json(folder / ADAPTER)["base_model_name_or_path"]
    if named != of_parent["name"]:
        raise InputError(
            f"{folder / ADAPTER}: base_model_name_or_path is {named!r}, but the parent is "
            f"{of_parent['name']!r}; the adapter is another run's."
        )
    if not (folder / WEIGHTS).exists():
        raise InputError(f"{folder}: has no {WEIGHTS}. {REMEDY}")
    if _adapter_digest(folder, marker["parent_weights_sha256"]) != marker["weights_sha256"]:
        raise InputError(f"{folder / WEIGHTS}: these are not the weights that were saved. {REMEDY}")
    return parent


def _with_adapter(folder: Path):
    """The parent in float32 with the adapter on top, not merged."""
    from peft import PeftModel

    parent = parent_of(folder)
    with loading(folder, "an adapter", REMEDY):
        return PeftModel.from_pretrained(load_model(parent, "float32"), str(folder))


def _adapter_digest(folder: Path, parent_digest: str) -> str:
    """The digest of an adapter's weights and its parent's."""
    return hashlib.sha256((parent_digest + sha256_file(folder / WEIGHTS)).encode()).hexdigest()


@contextmanager
def full_weights(folder: Path, dtype: str, work: Path) -> Iterator[Path]:
    """A checkpoint with the same full weights: the folder itself, or a temporary merge under `work`."""
    check_rounding(folder, dtype)
    marker = describe(folder)
    if marker["kind"] == "full":
        yield folder
        return
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work, prefix=prefix(MERGED)) as temporary:
        model = load_model(folder, dtype)
        model.save_pretrained(temporary)
        del model
        load_tokenizer(folder).save_pretrained(temporary)
        write_json(Path(temporary) / MARKER, {**marker, "kind": "full", "parent": None})
        yield Path(temporary)


def write_adapter(folder: Path, name: str, parent: Path, save, tokenizer, **more) -> dict:
    """Write an adapter checkpoint; `save(folder)` writes the adapter's own files."""

    def save_named(written: Path) -> None:
        save(written)
        # PEFT records a path of this machine; the parent's name stays valid wherever the results go.
        settings = read_json(written / ADAPTER)
        name_of_parent = describe(parent)["name"]
        write_json(written / ADAPTER, {**settings, "base_model_name_or_path": name_of_parent})

    def digest(written: Path) -> str:
        return _adapter_digest(written, describe(parent)["weights_sha256"])

    return _write(folder, name, parent, save_named, tokenizer, digest, kind="adapter", **more)


def write_full(folder: Path, name: str, parent: Path, save, tokenizer, **more) -> dict:
    """Write a checkpoint of full weights; `save(folder)` writes them as safetensors."""
    return _write(folder, name, parent, save, tokenizer, weights_digest, kind="full", **more)


def _write(folder: Path, name: str, parent: Path, save, tokenizer, digest, **more) -> dict:
    with new_folder(folder) as temporary:
        save(temporary)
        description = {
            "name": name,
            "parent": os.path.relpath(parent, folder),
            "parent_weights_sha256": describe(parent)["weights_sha256"],
            "weights_sha256": digest(temporary),
            TRUST: trusts_code(parent),
            **more,
        }
        tokenizer.save_pretrained(temporary)
        write_json(temporary / MARKER, description)
    return description
