"""Choices of a chat are scored as the tokens that the template makes of them, as in training."""

from __future__ import annotations

import json

import pytest
from plumbline.models.chat import turn_end
from plumbline.records import ChoiceQuestion, Message
from plumbline.scoring.closed import ClosedQuestion, _item
from plumbline.scoring.prompts import encode
from plumbline.training.data import Texts
from tiny import CHAT_TEMPLATE, tiny_tokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

QUESTION = ChoiceQuestion(
    id="q", question="The capital of Italy?", choices=["Rome", "Oslo", "Rome or Oslo"],
    labels=[1, 0, 0],
)  # fmt: skip
TEMPLATES = {
    "chatml": CHAT_TEMPLATE,
    # As Llama 2's: the space before an answer is the answer's.
    "llama2": (
        "{% for m in messages %}{% if m['role'] == 'user' %}{{ '[I] ' + m['content'] + ' [/I]' }}"
        "{% else %}{{ ' ' + m['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
    ),
    "no line break": (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '<|im_start|>' + m['content'] }}"
        "{{ eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_start|>' }}{% endif %}"
    ),
    # As Qwen 3's, with an empty thought before an answer.
    "thoughts": (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
        "{% if m['role'] == 'assistant' %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
        "{{ m['content'] + eos_token + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
}


def pieces(scheme: str):
    """A tokenizer of SentencePiece's kind, whose words carry the space before them."""
    words = [f"{mark}{word}" for word in ("Rome", "Oslo", "or") for mark in ("", "▁")]
    letters = sorted({*"▁\n<|>[]/?", *"The capital of Italy Rome Oslo userassistantthinkI"} - {" "})
    vocabulary = ["<unk>", "<|im_start|>", "<|im_end|>", *letters, *words]
    backend = Tokenizer(
        models.Unigram([(token, -5.0 if len(token) == 1 else -1.0) for token in vocabulary], 0)
    )
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    backend.decoder = decoders.Metaspace(prepend_scheme=scheme)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<|im_start|>", eos_token="<|im_end|>",
        unk_token="<unk>",
    )  # fmt: skip


def byte_level(prefix_space: bool):
    tokenizer = tiny_tokenizer(["Rome"])
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(prefix_space)
    return tokenizer


TOKENIZERS = {
    "bytes": lambda: byte_level(False),
    "bytes with a space": lambda: byte_level(True),
    "pieces, first": lambda: pieces("first"),
    "pieces, always": lambda: pieces("always"),
}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_choice_is_scored_as_it_is_trained_on(kind, template):
    tokenizer = TOKENIZERS[kind]()
    tokenizer.chat_template = TEMPLATES[template]
    item = encode(tokenizer, QUESTION, "chat")
    prompt = [{"role": "user", "content": QUESTION.question}]
    answers = [[{"role": "assistant", "content": choice}] for choice in QUESTION.choices]
    alone, *wholes = Texts(tokenizer).tokens(prompt, *answers)
    last = turn_end(tokenizer).token
    for whole, tokens in zip(wholes, item.continuations, strict=True):
        assert whole[-1] == last
        trained = whole[:-1]
        found = [*item.prompt, *tokens]
        assert found == trained[: len(found)]
        # What training adds is the space that the template puts before the end.
        assert tokenizer.decode(trained[len(found) :]).strip("▁ ") == ""
    asked = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    if template == "thoughts":
        asked += "<think>\n\n</think>\n\n"
        assert len(item.prompt) > len(alone)
    elif template == "llama2":
        asked += " "
    whole = tokenizer(asked + "Rome", add_special_tokens=False)["input_ids"]
    assert [*item.prompt, *item.continuations[0]] == whole
    assert "Rome" in tokenizer.decode(item.continuations[0])


def test_a_word_after_a_line_break_has_no_space_of_its_own():
    """Encoded by itself it would: the model never sees that token there."""
    tokenizer = pieces("first")
    tokenizer.chat_template = CHAT_TEMPLATE
    alone = tokenizer("Rome", add_special_tokens=False)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(alone) == ["▁Rome"]
    item = encode(tokenizer, QUESTION, "chat")
    assert tokenizer.convert_ids_to_tokens(item.continuations[0]) == ["Rome"]


def test_yes_and_no_are_scored_so_too():
    tokenizer = pieces("first")
    tokenizer.chat_template = CHAT_TEMPLATE
    turns = (Message(role="user", content="Rome?"),)
    item = _item(tokenizer, ClosedQuestion("r", ("Yes", "No"), messages=turns), None)
    words = [tokenizer.convert_ids_to_tokens(tokens) for tokens in item.continuations]
    assert [tokens[0][0] for tokens in words] != ["▁", "▁"], json.dumps(words)
