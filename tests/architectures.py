"""Random models of many architectures, small and strong enough for their mistakes to show."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

WORDS = 90
SIZES = {
    "vocab_size": WORDS, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
GROUPED = {"num_key_value_heads": 1, "intermediate_size": 96}
SCANNED = {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": 8, "mamba_chunk_size": 4}
LONG = {
    "rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 16,
    "long_factor": [4.0] * 16, "factor": 2.0, "original_max_position_embeddings": 16,
}  # fmt: skip
# What is kept of the past is keys and values alone.
BRANCHING = {
    "Qwen3": GROUPED | {"head_dim": 32},
    "Gemma3Text": GROUPED | {
        "head_dim": 32, "sliding_window": 6,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "Mistral": GROUPED | {"sliding_window": 6},
    "Phi3": GROUPED,
    "GPTNeoX": {"intermediate_size": 96},
    "OPT": {"ffn_dim": 96, "word_embed_proj_dim": 64, "max_position_embeddings": 128},
    "Olmo2": GROUPED,
    "Mixtral": GROUPED | {"num_local_experts": 2},
    "Bloom": {},
}  # fmt: skip
# A state besides, or positions that depend on the whole length.
WHOLE = {
    "Lfm2": GROUPED | {"layer_types": ["conv", "full_attention"]},
    "Mamba": {"state_size": 8},
    "Mamba2": {"state_size": 8, "head_dim": 16, "num_heads": 8, "n_groups": 1, "chunk_size": 4},
    "FalconH1": GROUPED | SCANNED | {"mamba_d_ssm": 128},
    "Rwkv": {"attention_hidden_size": 64, "context_length": 128},
    "Jamba": GROUPED | {"attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2},
    "RecurrentGemma": GROUPED | {
        "lru_width": 64, "attention_window_size": 6, "block_types": ["recurrent", "attention"],
    },
    "Phi3 with long RoPE": GROUPED | {"rope_parameters": LONG, "max_position_embeddings": 64},
}  # fmt: skip


QUICK = {"Gemma3Text", "Mistral", "OPT", "Lfm2", "Mamba", "Rwkv", "Phi3 with long RoPE"}


def random_model(name: str, words: int = WORDS):
    """A causal language model of an architecture above, in evaluation mode."""
    import torch
    import transformers

    sizes = SIZES | {"vocab_size": words} | (BRANCHING | WHOLE)[name]
    config = getattr(transformers, f"{name.split()[0]}Config")(**sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0, 0.25)
    return model


def parameters(names: Iterable[str]) -> list:
    """For pytest: the architectures in QUICK always, the others where PLUMBLINE_WHOLE=1 asks."""
    return [pytest.param(name, marks=[] if name in QUICK else pytest.mark.whole) for name in names]
