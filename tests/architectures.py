"""Tiny random models of many architectures, each with one of four kinds of tokenizer.

Strong enough for the context to matter, and so for mistakes to show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tiny import special_ids

WORDS = 90  # of a model without a tokenizer
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# The template writes BOS itself, and a turn ends in another token than EOS.
TURNS = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) }}"
    "{{ '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
TAUGHT = ["capital", "France", "Italy", "Norway", "Paris", "Rome", "Oslo", "Which", "city", "is"]


@dataclass(frozen=True)
class Flavour:
    """How a kind of tokenizer behaves; what the test itself writes down of it.

    bos: what it puts before every text. ends: tokens that end an answer. chat: a user's turn and
    the opening of the answer as one text, with {} for the words; None without a template.
    """

    make: Callable
    bos: str | None
    ends: tuple[str, ...]
    chat: str | None = None
    turn_end: str | None = None


@dataclass(frozen=True)
class Architecture:
    """A name that begins with the model's configuration class, and what makes the model tiny.

    branches: whether its past is keys and values alone, wherever they stand. quick: part of the
    ordinary tests.
    """

    name: str
    flavour: str
    sizes: dict = field(default_factory=dict)
    tied: bool = True
    branches: bool = True
    quick: bool = False


def _bytes_bpe(specials: list[str], **names):
    """Byte-level BPE, as GPT-2's and Llama 3's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        special_tokens=specials, initial_alphabet=alphabet, vocab_size=400, show_progress=False
    )
    backend.train_from_iterator([f"{word} {word}" for word in TAUGHT], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


def _pieces(specials: list[str], bos: str, **names):
    """SentencePiece's BPE with byte fallback, as Llama 2's and Gemma's: BOS before every text."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    bytes_ = [f"<0x{n:02X}>" for n in range(256)]
    trainer = trainers.BpeTrainer(
        special_tokens=[*specials, *bytes_], vocab_size=500, show_progress=False
    )
    text = [f"▁{word}▁{word}" for word in TAUGHT] + [chr(n) for n in range(33, 127)]
    backend.train_from_iterator(text, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, backend.token_to_id(bos))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=bos, **names)


FLAVOURS = {
    "chatml": Flavour(
        lambda: _bytes_bpe(
            ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"],
            bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|pad|>",
            chat_template=CHATML,
        ),
        bos=None, ends=("<|im_end|>",), turn_end="<|im_end|>",
        chat="<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n",
    ),
    # Neither BOS nor PAD nor a chat template.
    "bare": Flavour(
        lambda: _bytes_bpe(["<|endoftext|>"], eos_token="<|endoftext|>"),
        bos=None, ends=("<|endoftext|>",),
    ),
    # No PAD and no chat template, but BOS before every text.
    "pieces": Flavour(
        lambda: _pieces(["<unk>", "<s>", "</s>"], "<s>", eos_token="</s>", unk_token="<unk>"),
        bos="<s>", ends=("</s>",),
    ),
    "turns": Flavour(
        lambda: _pieces(
            ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"], "<bos>",
            eos_token="<eos>", unk_token="<unk>", pad_token="<pad>", chat_template=TURNS,
        ),
        bos="<bos>", ends=("<eos>", "<end_of_turn>"), turn_end="<end_of_turn>",
        chat="<bos><start_of_turn>user\n{}<end_of_turn>\n<start_of_turn>model\n",
    ),
}  # fmt: skip

_HEADS = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_LLAMA = {**_HEADS, "num_key_value_heads": 1, "intermediate_size": 96, "head_dim": 32}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 48}
_STATE = {"n_groups": 2, "head_dim": 16, "num_heads": 8, "state_size": 16, "chunk_size": 8}

ARCHITECTURES = [
    Architecture("Llama", "chatml", _LLAMA, quick=True),
    Architecture("Llama untied", "pieces", _LLAMA, tied=False),
    Architecture("Mistral", "pieces", {**_LLAMA, "sliding_window": 6}, tied=False),
    Architecture("Qwen2", "chatml", {**_HEADS, "num_key_value_heads": 1,
                                     "intermediate_size": 96}),
    Architecture("Qwen3", "chatml", _LLAMA, tied=False),
    Architecture(
        "Gemma2", "turns", {**_LLAMA, "sliding_window": 6, "final_logit_softcapping": 2.0},
        quick=True,
    ),
    Architecture("Gemma3Text", "turns", {**_LLAMA, "sliding_window": 6, "num_hidden_layers": 3}),
    Architecture("Phi3", "chatml", {**_LLAMA, "pad_token_id": 0}, tied=False),
    Architecture("Phi3 with long RoPE", "chatml", {
        **_LLAMA, "max_position_embeddings": 256, "rope_parameters": {
            "rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 16,
            "long_factor": [4.0] * 16, "factor": 2.0, "original_max_position_embeddings": 16,
        },
    }, tied=False, branches=False, quick=True),
    Architecture("Phi", "bare", {**_HEADS, "intermediate_size": 96}, tied=False),
    Architecture("GPTNeoX", "bare", {**_HEADS, "intermediate_size": 96}, tied=False),
    Architecture("GPTNeo", "bare", {
        "hidden_size": 64, "num_layers": 2, "num_heads": 2, "intermediate_size": 96,
        "attention_types": [[["global", "local"], 1]], "window_size": 6,
    }),
    Architecture("GPTJ", "bare", {"n_embd": 64, "n_layer": 2, "n_head": 2, "rotary_dim": 8},
                 tied=False),
    Architecture("OPT", "pieces", {**_HEADS, "ffn_dim": 96, "word_embed_proj_dim": 64},
                 quick=True),
    Architecture("GPT2", "bare", {"n_embd": 64, "n_layer": 2, "n_head": 2}, quick=True),
    Architecture("GPTBigCode", "bare", {"n_embd": 64, "n_layer": 2, "n_head": 2}),
    Architecture("Bloom", "bare", {"hidden_size": 64, "n_layer": 2, "n_head": 2}),
    Architecture("Falcon", "bare", {**_HEADS, "new_decoder_architecture": False}),
    Architecture("Mpt", "bare", {"d_model": 64, "n_heads": 2, "n_layers": 2, "expansion_ratio": 2}),
    Architecture("StableLm", "chatml", {**_HEADS, "num_key_value_heads": 2,
                                        "intermediate_size": 96}, tied=False),
    Architecture("Starcoder2", "bare", {**_HEADS, "num_key_value_heads": 1,
                                        "intermediate_size": 96}),
    Architecture("Olmo2", "chatml", {**_HEADS, "num_key_value_heads": 2, "intermediate_size": 96},
                 tied=False),
    Architecture("Cohere", "turns", {**_HEADS, "num_key_value_heads": 1, "intermediate_size": 96,
                                     "logit_scale": 0.5}),
    Architecture("Granite", "chatml", {**_HEADS, "num_key_value_heads": 1, "intermediate_size": 96,
                                       "logits_scaling": 2.0, "embedding_multiplier": 3.0}),
    Architecture("SmolLM3", "chatml", {**_HEADS, "num_key_value_heads": 1,
                                       "intermediate_size": 96}),
    Architecture("Mixtral", "pieces", {**_LLAMA, "num_local_experts": 4,
                                       "num_experts_per_tok": 2}, tied=False, quick=True),
    Architecture("Qwen3Moe", "chatml", {**_LLAMA, **_EXPERTS}, tied=False),
    Architecture("DeepseekV3", "bare", {
        **_HEADS, "num_key_value_heads": 2, "intermediate_size": 96, "moe_intermediate_size": 48,
        "n_routed_experts": 4, "n_group": 2, "topk_group": 1, "num_experts_per_tok": 2,
        "first_k_dense_replace": 1, "q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 16,
        "qk_nope_head_dim": 16, "v_head_dim": 16,
    }, tied=False),
    Architecture("Lfm2", "chatml", {
        **_HEADS, "num_key_value_heads": 1, "intermediate_size": 96, "num_hidden_layers": 3,
        "layer_types": ["conv", "full_attention", "conv"],
    }, branches=False, quick=True),
    Architecture("Mamba", "bare", {"hidden_size": 64, "num_hidden_layers": 2, "state_size": 8},
                 branches=False),
    Architecture("Mamba2", "bare", {**_STATE, "hidden_size": 64, "num_hidden_layers": 2},
                 branches=False, quick=True),
    Architecture("FalconH1", "chatml", {
        **_LLAMA, "mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_n_groups": 1,
        "mamba_d_state": 16, "mamba_chunk_size": 8,
    }, branches=False),
    Architecture("Jamba", "bare", {
        **_HEADS, "num_key_value_heads": 1, "intermediate_size": 96, "num_hidden_layers": 4,
        "attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2,
        "expert_layer_offset": 1, "num_experts": 2, "mamba_d_state": 8, "mamba_dt_rank": 4,
        "use_mamba_kernels": False,
    }, tied=False, branches=False),
    Architecture("RecurrentGemma", "turns", {
        **_HEADS, "num_key_value_heads": 1, "intermediate_size": 96, "num_hidden_layers": 3,
        "attention_window_size": 6, "lru_width": 64,
    }, branches=False),
    Architecture("Rwkv", "bare", {"hidden_size": 64, "attention_hidden_size": 64,
                                  "num_hidden_layers": 2, "context_length": 512},
                 tied=False, branches=False, quick=True),
]  # fmt: skip


BY_NAME = {one.name: one for one in ARCHITECTURES}


def parameters(wanted: Iterable[Architecture] = ARCHITECTURES) -> list:
    """For pytest: a few architectures always, the others with what takes long."""
    return [
        pytest.param(one, id=one.name, marks=[] if one.quick else pytest.mark.whole)
        for one in wanted
    ]


def random_model(architecture: Architecture, words: int = WORDS, **special: int | None):
    """A causal language model in evaluation mode; `special`: ids of BOS, EOS and PAD."""
    import torch
    import transformers

    sizes = {"max_position_embeddings": 512, **architecture.sizes}
    if "context_length" in sizes:
        del sizes["max_position_embeddings"]
    special = special or {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = getattr(transformers, f"{architecture.name.split()[0]}Config")(
        vocab_size=words, tie_word_embeddings=architecture.tied, **{**special, **sizes}
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = transformers.AutoModelForCausalLM.from_config(config).float().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0, 0.1)
    return model


def build(architecture: Architecture, folder: Path) -> Path:
    """Save a random model of this architecture with its tokenizer, in float32; returns `folder`."""
    tokenizer = FLAVOURS[architecture.flavour].make()
    model = random_model(architecture, len(tokenizer), **special_ids(tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
