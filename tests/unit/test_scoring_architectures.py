"""Log-likelihoods and ranks of many architectures, with and without a cache that can be branched."""

import math
import random

import pytest
import torch
import transformers
from plumbline.scoring.forward import has_branches
from plumbline.scoring.likelihood import Item, score
from plumbline.scoring.ranks import Answer, token_ranks

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


def random_model(name, changes):
    """Strong enough weights for context to matter, and caches whose mistakes show."""
    kind = name.split()[0]
    config = getattr(transformers, f"{kind}Config")(**SIZES, **changes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0, 0.25)
    return model


def drawn():
    source = random.Random(0)

    def some(low, high):
        return tuple(source.randrange(WORDS) for _ in range(source.randint(low, high)))

    start = some(5, 5)
    return [
        Item(start + some(1, 20), tuple(some(1, 6) for _ in range(source.randint(1, 4))))
        for _ in range(4)
    ]


@pytest.mark.parametrize("name", [*BRANCHING, *WHOLE])
def test_equal_to_plain_forward_passes(name):
    model = random_model(name, (BRANCHING | WHOLE)[name])
    assert has_branches(model) == (name in BRANCHING)
    items = drawn()
    answers = [Answer(item.prompt, tokens) for item in items for tokens in item.continuations]
    sums, ranks = [], []
    with torch.no_grad():
        for prompt, tokens in answers:
            logits = model(torch.tensor([prompt + tokens]), use_cache=False).logits[0]
            logp = torch.log_softmax(logits.float(), -1)[len(prompt) - 1 : -1]
            own = logp[range(len(tokens)), tokens]
            sums.append(float(own.sum()))
            ranks.append((1 + (logp > own[:, None]).sum(-1)).tolist())
    for batch_tokens in (60, 4096):
        found = score(model, items, batch_tokens)
        assert [len(one) for one in found] == [len(one.continuations) for one in items]
        assert [s for one in found for s in one] == pytest.approx(sums, abs=1e-4)
        assert token_ranks(model, answers, batch_tokens) == ranks
    assert len({round(one, 3) for one in sums}) == len(sums)
    assert all(math.isfinite(one) for one in sums)
