"""A tiny Llama and tokenizers, built from nothing, for tests that need no knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class Bytes:
    """A tokenizer whose tokens are bytes."""

    model_max_length = 10**30

    def __call__(self, text):
        if isinstance(text, list):
            return {"input_ids": [list(each.encode()) for each in text]}
        return {"input_ids": list(text.encode())}

    def decode(self, ids):
        return bytes(ids).decode(errors="replace")


def tiny_tokenizer(vocab_words: Sequence[str] = ()):
    """A byte-level BPE tokenizer: any text round-trips, each of `vocab_words` is one token.

    EOS is <|im_end|> (as in ChatML), PAD a token of its own.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"]
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        vocab_size=100_000,
        min_frequency=1,
        show_progress=False,
    )
    backend.train_from_iterator([f"{word} {word}" for word in vocab_words], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        unk_token="<|endoftext|>",
        pad_token="<|pad|>",
        chat_template=CHAT_TEMPLATE,
        model_max_length=512,
    )


def special_ids(tokenizer) -> dict[str, int | None]:
    """Its BOS, EOS and PAD as a model's configuration names them."""
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    return {name: getattr(tokenizer, name) for name in names}


def tiny_model(
    folder: Path,
    vocab_words: Sequence[str] = (),
    seed: int = 0,
    tie_word_embeddings: bool = True,
    context: int = 512,
) -> Path:
    """Save a random Llama (about 100,000 parameters, float32) and its tokenizer to `folder`.

    Heads are 32 wide, the smallest that vLLM's CPU attention takes. Returns `folder`.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer(vocab_words)
    tokenizer.model_max_length = context
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=context,
        tie_word_embeddings=tie_word_embeddings,
        **special_ids(tokenizer),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)
