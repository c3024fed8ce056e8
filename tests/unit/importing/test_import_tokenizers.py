"""What import makes of a tokenizer: prompts that nothing follows, texts that come back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plumbline.generation.engine import render
from plumbline.models.checkpoints import load_tokenizer
from plumbline.models.importing import import_model
from plumbline.models.tokenizing import SAMPLE, usable_positions
from plumbline.records import ChoiceQuestion, Message, Request, Sampling
from plumbline.scoring.prompts import encode
from plumbline.storage.files import InputError
from plumbline.training.data import load_examples, load_pairs
from tiny import CHAT_TEMPLATE, tiny_tokenizer
from tokenizers import normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoTokenizer, LlamaConfig, LlamaForCausalLM

BOS, EOS = "<|im_start|>", "<|im_end|>"
ENDS = {BOS: 1, EOS: 2}
QUESTION = ChoiceQuestion(
    id="q", question="The capital of Italy?", choices=["Rome", "Oslo"], labels=[1, 0]
)


def template(single: str, pair: str):
    return processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=list(ENDS.items())
    )


# What makes texts of tokens, and whether it puts BOS before them.
SUFFIXES = {
    "eos": (template(f"$A {EOS}", f"$A {EOS} $B {EOS}"), False),
    "bos and eos": (template(f"{BOS} $A {EOS}", f"{BOS} $A {EOS} {BOS} $B {EOS}"), True),
    "in a sequence": (
        processors.Sequence([processors.ByteLevel(), template(f"$A {EOS}", f"$A $B {EOS}")]),
        False,
    ),
    "bert": (processors.BertProcessing((EOS, 2), (BOS, 1)), True),
    "roberta": (processors.RobertaProcessing((EOS, 2), (BOS, 1)), True),
}
# SentencePiece's own ways, of which language models take none.
ONE_LINE = {"normalization_rule_name": "nmt_nfkc", "remove_extra_whitespaces": True}


def imported(folder: Path, tokenizer=None):
    """The tokenizer of the checkpoint made of a folder, with another tokenizer if one is given."""
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
    import_model(folder, folder.parent / "out", "base")
    return load_tokenizer(folder.parent / "out")


# --- nothing after a prompt -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", SUFFIXES)
def test_nothing_follows_a_prompt_in_any_stage(model, tmp_path, kind):
    processor, begins = SUFFIXES[kind]
    plain, tokenizer = tiny_tokenizer(["Paris"]), tiny_tokenizer(["Paris"])
    tokenizer.backend_tokenizer.post_processor = processor
    assert tokenizer("Rome")["input_ids"][-1] == 2
    found = imported(model, tokenizer)
    first = [1] if begins else []

    def ids(text: str) -> list[int]:
        return first + plain(text)["input_ids"]

    assert found("Rome")["input_ids"] == ids("Rome")
    assert found("Rome", "Oslo")["input_ids"] == ids("RomeOslo")
    request = Request(id="r", prompt=SAMPLE, sampling=Sampling(max_tokens=4), purpose="greedy")
    assert list(render(found, request)) == ids(SAMPLE)
    item = encode(found, QUESTION, "qa")
    assert list(item.prompt) == ids(f"Question: {QUESTION.question}\nAnswer:")
    assert [*map(list, item.continuations)] == [
        plain(f" {choice}")["input_ids"] for choice in QUESTION.choices
    ]
    row = {"id": "1", "prompt": "Where?", "completion": " Rome"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    whole = [*ids("Where? Rome"), 2]
    rows, dropped = load_examples(tmp_path / "rows.jsonl", found, len(whole))
    assert (len(rows), dropped["too_long"]) == (1, 0)
    sides = {"id": "1", "prompt": "Where?", "chosen": " Rome", "rejected": " Oslo"}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(sides))
    [pair] = load_pairs(tmp_path / "pairs.jsonl", found, 99)[0]
    assert pair.prompt_ids + pair.chosen_ids == whole
    assert pair.prompt_ids == ids("Where?")


def test_bos_stands_once_where_the_template_writes_it_too(model, tmp_path):
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = SUFFIXES["bos and eos"][0]
    tokenizer.chat_template = "{{ bos_token }}" + CHAT_TEMPLATE.replace("<|im_start|>", "<|pad|>")
    found = imported(model, tokenizer)
    asked = [Message(role="user", content="Where?")]
    request = Request(id="r", messages=asked, sampling=Sampling(max_tokens=4), purpose="greedy")
    prompt = list(render(found, request))
    assert (prompt[0], prompt.count(1), prompt.count(2)) == (1, 1, 1)
    question = QUESTION.model_copy(update={"question": "Where?"})
    assert list(encode(found, question, "chat").prompt) == prompt
    row = {
        "id": "1",
        "prompt": [{"role": "user", "content": "Where?"}],
        "completion": [{"role": "assistant", "content": "Rome"}],
    }
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    [trained], _ = load_examples(tmp_path / "rows.jsonl", found, 999)
    assert trained["input_ids"] == [*prompt, *tiny_tokenizer()("Rome")["input_ids"], 2]


def test_the_harness_reads_a_prompt_without_an_end(model):
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoModelForCausalLM

    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = SUFFIXES["eos"][0]
    found = imported(model, tokenizer)
    weights = AutoModelForCausalLM.from_pretrained(model.parent / "out")
    harness = HFLM(pretrained=weights, tokenizer=found, batch_size=1)
    plain = tiny_tokenizer()
    assert harness.tok_encode("Rome") == plain("Rome")["input_ids"]
    assert harness._encode_pair("Where?", " Rome") == (
        plain("Where?")["input_ids"],
        plain(" Rome")["input_ids"],
    )


def sentence_pieces(folder: Path, **settings) -> None:
    """Give a model folder a tokenizer of SentencePiece's, in its own format."""
    import sentencepiece

    for file in [*folder.glob("tokenizer*"), *folder.glob("chat_template*")]:
        file.unlink()
    made = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([SAMPLE.replace("\n", " ")] * 20),
        model_prefix=str(folder / "tokenizer"),
        model_type="bpe",
        vocab_size=320,
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
        **(made | settings.pop("made", {})),
    )
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", **settings}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    weights = LlamaConfig.from_pretrained(folder, vocab_size=512, num_hidden_layers=1)
    LlamaForCausalLM(weights).save_pretrained(folder)


@pytest.mark.parametrize("kind", ["LlamaTokenizer", "GemmaTokenizer"])
def test_a_class_that_is_told_to_add_eos_adds_none(model, kind):
    sentence_pieces(model, tokenizer_class=kind, add_bos_token=True, add_eos_token=True)
    given = AutoTokenizer.from_pretrained(model)("Rome")["input_ids"]
    assert (given[0], given[-1]) == (1, 2)
    assert imported(model)("Rome")["input_ids"] == given[:-1]


def test_a_class_that_adds_eos_whatever_it_is_told_is_refused(model):
    sentence_pieces(model, tokenizer_class="T5Tokenizer", pad_token="<unk>", made=ONE_LINE)
    with pytest.raises(InputError, match="puts '</s>' after every text"):
        imported(model)


# --- text that comes back ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("normalizer", "lost"),
    [
        (normalizers.Lowercase(), "question: who wrote emma"),
        (normalizers.Replace("\n", " "), "Emma\\? Answer"),
        (normalizers.Prepend(BOS), r"<\|im_start\|>Question"),  # BOS also where none is asked for
        (normalizers.Replace("?", ""), "wrote Emma\\\\nAnswer"),
    ],
    ids=["lower case", "no line breaks", "BOS in the middle", "no question marks"],
)
def test_a_tokenizer_that_loses_text_is_refused(model, normalizer, lost):
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.normalizer = normalizer
    with pytest.raises(InputError, match=f"changes text: .* comes back .*{lost}"):
        imported(model, tokenizer)


def test_sentence_pieces_normalised_on_one_line_are_refused(model):
    sentence_pieces(
        model,
        tokenizer_class="XGLMTokenizer",
        made=ONE_LINE,
    )
    with pytest.raises(InputError, match="changes text"):
        imported(model)


def test_a_space_before_the_first_word_changes_no_text(model):
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    found = imported(model, tokenizer)
    assert found("Rome")["input_ids"] == tiny_tokenizer()(" Rome")["input_ids"]


def test_texts_are_decoded_as_they_were_written(model):
    tokenizer = tiny_tokenizer()
    tokenizer.clean_up_tokenization_spaces = True
    tokenizer.init_kwargs["clean_up_tokenization_spaces"] = True
    text = "He did n't . Did he ?"
    found = imported(model, tokenizer)
    assert found.decode(found(text)["input_ids"]) == text


# --- how much a model reads -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "settings", "positions"),
    [
        ("llama", {"max_position_embeddings": 4096}, 4096),
        ("gpt2", {"n_positions": 64}, 64),
        ("gptj", {"n_positions": 128}, 128),
        ("opt", {"max_position_embeddings": 2048}, 2048),
        ("mpt", {"max_seq_len": 256}, 256),
        ("bloom", {}, None),
        ("mamba2", {}, None),
        ("xlnet", {}, None),
        ("roberta", {"max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ("bert", {"max_position_embeddings": 512}, 512),
        ("mistral", {"max_position_embeddings": 8192, "sliding_window": 128}, 8192),
        ("gemma3", {"text_config": {"max_position_embeddings": 1024}}, 1024),
        (
            "llama",
            {
                "max_position_embeddings": 100,
                "rope_scaling": {"rope_type": "linear", "factor": 4.0},
            },
            400,
        ),
        (
            "llama",
            {
                "max_position_embeddings": 400,
                "rope_scaling": {
                    "rope_type": "yarn",
                    "factor": 4.0,
                    "original_max_position_embeddings": 100,
                },
            },
            400,
        ),
    ],
)
def test_usable_positions(kind, settings, positions):
    assert usable_positions(AutoConfig.for_model(kind, **settings)) == positions


def test_the_tokenizer_says_how_much_the_model_reads(model):
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = 10**30
    assert imported(model, tokenizer).model_max_length == 512
