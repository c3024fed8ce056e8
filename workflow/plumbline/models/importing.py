"""Importing models as checkpoint folders: safetensors, config, tokenizer and checkpoint.json.

Everything that a later stage loads has this form, wherever the model came from.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.models.chat import settle_template, settle_thoughts, special_ids, turn_end
from plumbline.models.finite import check_weights
from plumbline.models.suitability import Needs, check
from plumbline.models.tokenizing import check_prompts, settle_prompts
from plumbline.storage.files import InputError, read_json, sha256_file, sha256_json, write_json
from plumbline.storage.temporary import SUFFIX, prefix

if TYPE_CHECKING:
    from transformers import (
        GenerationConfig,
        PretrainedConfig,
        PreTrainedModel,
        PreTrainedTokenizerBase,
    )

log = logging.getLogger("plumbline")

MARKER = "checkpoint.json"
DTYPES = ("bfloat16", "float16", "float32")
# Tokens that model families use for padding or not at all, in the order they are tried for PAD.
_PADDING_TOKENS = (
    *("<pad>", "<|pad|>", "[PAD]", "<|finetune_right_pad_id|>", "<|endoftext|>"),
    *("<|reserved_special_token_0|>", "<unused0>", "<unk>", "[UNK]"),
)
# What older versions of transformers saved although it follows from the config: causal masks, rotary
# frequencies, position ids.
_COMPUTED = re.compile(
    r"\.(attn|attention|self_attn|self_attention)\.(bias|masked_bias)$"
    r"|(^|\.)(inv_freq|position_ids)$|(^|\.)rope\.freqs$|^rope_(freqs|factors_long|factors_short)\."
)


def import_model(
    path: Path | str,
    out: Path | str,
    name: str,
    dtype: str = "bfloat16",
    trust_remote_code: bool = False,
    source: str = "",
    needs: Needs | None = None,
    chat_template_kwargs: Mapping[str, bool | int | float | str] | None = None,
) -> dict:
    """Turn a GGUF file or a Hugging Face folder into a checkpoint folder; returns its marker.

    `source` is the source line the model came from, `needs` what the configuration requires of it.
    `out` appears completely or not at all.

    Raises `InputError` when `path` is neither, has only pickled weights, incomplete weights, weights of
    something else or an adapter beside them, weights that are not numbers, needs remote code that is
    not trusted, has no usable tokenizer, or does not meet the requirements.
    """
    from transformers import AutoTokenizer, GenerationConfig

    path = Path(path)
    if dtype not in DTYPES:
        raise InputError(f"dtype {dtype!r}: expected one of {', '.join(DTYPES)}.")
    if path.is_dir():
        _check_folder(path, trust_remote_code)
    elif not _is_gguf(path):
        raise InputError(f"{path}: neither a GGUF file nor a Hugging Face model folder.")
    with new_folder(out) as folder:
        model, tokenizer = _load(path, dtype, trust_remote_code)
        check_weights(
            model,
            f"{path}, in {dtype}",
            "Take dtype: bfloat16 or float32 if they are numbers there, else get the model again.",
        )
        # Every request states its own sampling; a model's defaults, whose contradictions would prevent
        # saving, are dropped, but not its end tokens.
        model.generation_config = GenerationConfig(
            eos_token_id=model.generation_config.eos_token_id
        )
        settle_thoughts(tokenizer)
        settle_template(tokenizer, chat_template_kwargs or {})
        settle_tokenizer(tokenizer, model.config, model.generation_config)
        settle_prompts(tokenizer, model.config)
        ends = model.generation_config.eos_token_id
        check(name, tokenizer, ends if isinstance(ends, list) else [ends], needs or Needs())
        model.save_pretrained(folder)
        for key in (
            "local_files_only",
            "is_local",
        ):  # how it was loaded, not a property of the model
            tokenizer.init_kwargs.pop(key, None)
        tokenizer.save_pretrained(folder)
        options = {"local_files_only": True, "trust_remote_code": trust_remote_code}
        check_prompts(tokenizer, AutoTokenizer.from_pretrained(folder, **options))
        marker = {
            "name": name,
            "parent": None,
            "kind": "full",
            "weights_sha256": weights_digest(folder),
            "tokenizer_sha256": tokenizer_digest(tokenizer),
            "dtype": dtype,
            "parameters": model.num_parameters(),
            "eos_token": tokenizer.eos_token,
            "pad_token": tokenizer.pad_token,
            "chat_template_sha256": (
                sha256_json(tokenizer.chat_template) if tokenizer.chat_template else None
            ),
            "chat_template_kwargs": dict(chat_template_kwargs or {}),
            "trust_remote_code": trust_remote_code,
            "source": source or str(path),
            "versions": {p: version(p) for p in ("torch", "transformers", "safetensors")},
        }
        write_json(folder / MARKER, marker)
    log.info(f"{name}: {marker['parameters']:,} parameters in {dtype}, from {marker['source']}")
    return marker


def settle_tokenizer(
    tokenizer: PreTrainedTokenizerBase,
    model_config: PretrainedConfig,
    generation_config: GenerationConfig | None = None,
) -> None:
    """Make tokenizer, config and generation config agree on BOS, EOS and PAD, in place.

    A missing PAD becomes a special token without another meaning, if the vocabulary has one;
    otherwise EOS is used, and then training must mask padding by position, never by token, or the
    model would not learn to stop. If chat turns end with another token than EOS, generation stops at
    either. The padding side is the caller's choice.

    Raises `InputError` when there is no EOS, or when the tokenizer has more tokens than the model.
    """
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"tokenizer {tokenizer.name_or_path!r} has no EOS token: answers would never end. "
            f'Set "eos_token" in its tokenizer_config.json to the token the model ends with.'
        )
    largest = max(tokenizer.get_vocab().values())
    vocabulary = model_config.get_text_config().vocab_size
    if largest >= vocabulary:
        raise InputError(
            f"tokenizer {tokenizer.name_or_path!r} has token id {largest}, the model only "
            f"{vocabulary} embeddings. Use the tokenizer that belongs to the model."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = _unused_token(tokenizer) or tokenizer.eos_token
        log.info(f"tokenizer without PAD: {tokenizer.pad_token} is used")
    model_config.bos_token_id = tokenizer.bos_token_id
    model_config.eos_token_id = tokenizer.eos_token_id
    model_config.pad_token_id = tokenizer.pad_token_id
    if generation_config is None:
        return
    ends = [tokenizer.eos_token_id, _chat_turn_end(tokenizer)]
    if isinstance(generation_config.eos_token_id, list):  # the makers' choice, e.g. for tool calls
        special = special_ids(tokenizer)
        ends += [token for token in generation_config.eos_token_id if token in special]
    ends = list(dict.fromkeys(token for token in ends if token is not None))
    generation_config.bos_token_id = tokenizer.bos_token_id
    generation_config.eos_token_id = ends if len(ends) > 1 else ends[0]
    generation_config.pad_token_id = tokenizer.pad_token_id
    generation_config._from_model_config = False  # generate() would overwrite it


def weights_digest(folder: Path | str) -> str:
    """One sha256 over the names and contents of a folder's safetensors files.

    Raises `InputError` when there are none.
    """
    digests = {file.name: sha256_file(file) for file in Path(folder).glob("*.safetensors")}
    if not digests:
        raise InputError(f"{folder}: no *.safetensors file. Expected a checkpoint folder.")
    return sha256_json(digests)


def tokenizer_digest(tokenizer: PreTrainedTokenizerBase) -> str:
    """A sha256 of how text becomes tokens: vocabulary, rules, special tokens, chat template.

    Padding and truncation are left out: they are temporary settings that saving would keep.
    """
    if tokenizer.is_fast:
        rules = json.loads(tokenizer.backend_tokenizer.to_str())
        rules = {key: rules[key] for key in rules if key not in ("padding", "truncation")}
    else:
        rules = tokenizer.get_vocab()
    return sha256_json([rules, tokenizer.special_tokens_map, tokenizer.chat_template])


@contextlib.contextmanager
def new_folder(out: Path | str) -> Iterator[Path]:
    """A temporary folder beside `out` that replaces it when the block ends without error.

    Raises `InputError` when `out` is something other than an earlier, perhaps partial, checkpoint.
    """
    out = Path(out)
    known = ("config.json", "adapter_config.json", MARKER)
    if out.exists() and (
        not out.is_dir()
        or (any(out.iterdir()) and not any((out / file).exists() for file in known))
    ):
        raise InputError(f"{out}: exists and is not a checkpoint folder. Name another, or move it.")
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = prefix(f".{out.name}")
    temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=unfinished, suffix=SUFFIX))
    try:
        yield temporary
        temporary.chmod(0o755)
        for file in temporary.rglob("*"):  # some libraries make files readable only for their owner
            file.chmod(0o755 if file.is_dir() else 0o644)
        if out.exists():
            shutil.rmtree(out)
        os.rename(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def loading(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Turn any error in the block into an `InputError` that names `path`.

    The errors that libraries raise on a damaged file have no common base: OSError, KeyError,
    struct.error…
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:400] or type(error).__name__
        raise InputError(f"{path}: cannot be loaded as {what}: {reason} {remedy}") from error


def _load(
    path: Path, dtype: str, trust_remote_code: bool
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer of a folder or GGUF file, on the CPU; every weight must be there."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    options = {"local_files_only": True}
    if path.is_dir():
        folder, own = path, {"use_safetensors": True}
        options["trust_remote_code"] = trust_remote_code
    else:
        # Dequantise explicitly: otherwise it depends on the device whether weights stay quantised, and
        # quantised weights cannot be saved. A GGUF file contains no code.
        folder, own = path.parent, {"quantization_config": GgufConfig(dequantize=True)}
        options["gguf_file"] = path.name
    with loading(path, "a causal language model", "Get it again, or another revision."):
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # the report names them
            **own,
            **options,
        )
    if not path.is_dir():
        report["unexpected_keys"] |= _left_over(path, model)
    _check_weights(path, model, report)
    return model, tokenizer


def _left_over(path: Path, model: PreTrainedModel) -> set[str]:
    """Names of weights that a GGUF file has and the model does not; transformers does not
    report them.
    """
    from gguf import GGUFReader
    from transformers import modeling_gguf_pytorch_utils as gguf

    reader = GGUFReader(path)
    if sum(int(tensor.n_elements) for tensor in reader.tensors) <= model.num_parameters():
        return set()  # experts have other names, so the numbers are compared first
    architecture = reader.fields["general.architecture"].contents()
    kind = gguf.TENSOR_PROCESSORS.get(architecture, gguf.TensorProcessor)
    placed = gguf.get_gguf_hf_weights_map(model, kind(config=model.config.to_dict()))
    return {tensor.name for tensor in reader.tensors} - placed.keys()


def _check_weights(path: Path, model: PreTrainedModel, report: dict) -> None:
    """Check that the file has every weight of the model and no other, and that it reads from
    the left.
    """
    if report["mismatched_keys"]:  # these would silently be random numbers
        name, found, expected = sorted(report["mismatched_keys"])[0]
        raise InputError(
            f"{path}: {len(report['mismatched_keys'])} of its weights have another shape than its "
            f"config gives them, among them {name}: {list(found)}, expected {list(expected)}. Is "
            f"the config the model's?"
        )
    if report["missing_keys"]:  # these would silently be random numbers
        missing = sorted(report["missing_keys"])
        raise InputError(
            f"{path}: {len(missing)} of the model's weights are missing, among them {missing[0]}. "
            f"Is it the whole model, and of the architecture its config names?"
        )
    surplus = sorted(key for key in report["unexpected_keys"] if not _COMPUTED.search(key))
    if surplus:  # these would silently be dropped
        raise InputError(
            f"{path}: {len(surplus)} of its weights fit nowhere in a {type(model).__name__}, among "
            f"them {surplus[0]}. Is it a causal language model (a reward model is none), and of "
            f"the architecture its config names?"
        )
    if _is_encoder(model.config):
        raise InputError(
            f"{path}: its config ({model.config.model_type}, is_decoder: false) makes it an encoder, "
            f"which reads texts from both sides and cannot continue them. Use a causal language "
            f"model."
        )
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    tied = getattr(model.config.get_text_config(), "tie_word_embeddings", False)
    if tied and head is not None and head.weight is not embeddings.weight:  # engines would differ
        raise InputError(
            f"{path}: config.json ties the output layer to the embeddings, but the weights have "
            f"another output layer. Set tie_word_embeddings to false there if it is to be used, "
            f"else remove it from the weights."
        )


def _is_encoder(config: PretrainedConfig) -> bool:
    """Whether a config is one that transformers loads as a causal model with only a warning."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    masked = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return masked and getattr(config, "is_decoder", None) is False


def _check_folder(path: Path, trust_remote_code: bool) -> None:
    adapter = (path / "adapter_config.json").is_file()
    if not (path / "config.json").is_file():
        hint = (
            "It is a LoRA adapter; merge it into its base model first."
            if adapter
            else "Expected a Hugging Face model folder."
        )
        raise InputError(f"{path}: no config.json. {hint}")
    if adapter:  # transformers would load both, and save the adapter alone
        raise InputError(
            f"{path}: holds a model and an adapter (adapter_config.json). Move the adapter out of "
            f"the folder to import the model alone, or merge it into the model first."
        )
    whole, index = path / "model.safetensors", path / "model.safetensors.index.json"
    if whole.is_file() and index.is_file():
        raise InputError(
            f"{path}: holds its weights twice, as {whole.name} and as the files that {index.name} "
            f"names. Remove the ones that are not the model's."
        )
    if not any(path.glob("*.safetensors")):
        if gguf := sorted(path.glob("*.gguf")):
            raise InputError(f"{path}: no *.safetensors, only GGUF. Name the file: {gguf[0].name}.")
        pickled = sorted(p.name for p in path.iterdir() if p.suffix in (".bin", ".pt", ".pth"))
        found = f"pickled weights ({pickled[0]}), which can run code" if pickled else "no weights"
        raise InputError(
            f"{path}: no *.safetensors, only {found}. Take a revision with safetensors, or convert "
            f"it where you trust it: load it and save_pretrained."
        )
    for name, what in (("config.json", "model"), ("tokenizer_config.json", "tokenizer")):
        file = path / name
        if not trust_remote_code and file.is_file() and "auto_map" in read_json(file):
            raise InputError(
                f"{file}: auto_map: the {what} brings its own code. Read that code; if you trust it, "
                f"set trust_remote_code for this model."
            )


def _is_gguf(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"GGUF"
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error


def _unused_token(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """A token in the vocabulary that is special and neither EOS, BOS nor the end of a chat turn."""
    taken = {tokenizer.eos_token_id, tokenizer.bos_token_id, _chat_turn_end(tokenizer)}
    special = special_ids(tokenizer)
    vocabulary = tokenizer.get_vocab()
    for token in _PADDING_TOKENS:
        index = vocabulary.get(token)
        if index in special and index not in taken:
            return token
    return None


def _chat_turn_end(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The token that the chat template puts after an assistant's words, if any."""
    import jinja2

    if not tokenizer.chat_template:
        return None
    try:
        return turn_end(tokenizer).token
    except jinja2.TemplateError as error:
        log.warning(f"chat template cannot be rendered ({error}): generation stops at EOS only")
        return None
