"""Log-likelihoods against their definition, and choice questions as token ids."""

import copy
import json
import logging
import random

import pytest
import torch
from architectures import BY_NAME, random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from plumbline.jobs.program import Progress
from plumbline.models import checkpoints
from plumbline.records import ChoiceQuestion
from plumbline.scoring import prompts
from plumbline.scoring.likelihood import TokenizedItem, score
from plumbline.scoring.prompts import context_length, encode, texts
from plumbline.storage.files import InputError
from tiny import tiny_tokenizer

WORDS = 90
SIZES = {"vocab_size": WORDS, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
MODELS = {
    "llama": ("Llama", {"num_key_value_heads": 1, "intermediate_size": 96}),
    "qwen2": ("Qwen2", {"num_key_value_heads": 2, "intermediate_size": 96}),
    "gpt2": ("GPT2", {"n_positions": 128}),
    # Logits that the model changes after its head, and layers that see only the last tokens.
    "gemma2": ("Gemma2", {
        "num_key_value_heads": 1, "intermediate_size": 96, "head_dim": 32, "sliding_window": 6,
        "final_logit_softcapping": 2.0,
    }),
}  # fmt: skip


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    """A random model whose layers are strong enough for context to matter."""
    import transformers

    name, changes = MODELS[request.param]
    config = getattr(transformers, f"{name}Config")(**SIZES, **changes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0, 0.25)
    return model


def by_definition(model, item):
    """One sequence at a time, no cache, nothing filled, logits of every position."""
    found = []
    with torch.no_grad():
        for tokens in item.continuations:
            ids = torch.tensor([item.prompt + tokens])
            p = torch.log_softmax(model(ids).logits[0].float(), -1)
            at = range(len(item.prompt) - 1, ids.shape[1] - 1)
            found.append(sum(float(p[i, ids[0, i + 1]]) for i in at))
    return found


def flat(scores):
    return [value for item in scores for value in item]


tokens = st.integers(0, WORDS - 1)


rows = st.lists(tokens, min_size=1, max_size=7).map(tuple)


@st.composite
def item_lists(draw):
    shared = tuple(draw(st.lists(tokens, max_size=10)))
    return [
        TokenizedItem(shared + draw(rows), tuple(draw(st.lists(rows, min_size=1, max_size=4))))
        for _ in range(draw(st.integers(1, 6)))
    ]


@settings(max_examples=25)
@given(item_lists(), st.sampled_from([1, 30, 90, 4096]))
def test_equal_to_one_sequence_at_a_time(model, items, batch_tokens):
    expected = [by_definition(model, item) for item in items]
    found = score(model, items, batch_tokens)
    assert [len(one) for one in found] == [len(one) for one in expected]
    assert flat(found) == pytest.approx(flat(expected), rel=1e-5, abs=1e-5)


def drawn(count, shared=0, seed=0):
    source = random.Random(seed)

    def some(low, high):
        return tuple(source.randrange(WORDS) for _ in range(source.randint(low, high)))

    start = some(shared, shared)
    return [
        TokenizedItem(start + some(1, 9), tuple(some(1, 6) for _ in range(source.randint(1, 5))))
        for _ in range(count)
    ]


def test_neither_batches_nor_order_matter(model):
    items = drawn(30, shared=11)
    expected = score(model, items, 4096)
    shuffled = list(range(len(items)))
    random.Random(5).shuffle(shuffled)
    for batch_tokens in (1, 40, 200):
        found = score(model, [items[i] for i in shuffled], batch_tokens)
        assert flat(found) == pytest.approx(flat(expected[i] for i in shuffled), abs=1e-4)
    assert len({round(value, 4) for value in flat(expected)}) > 0.9 * len(flat(expected))


def test_identical_prompts_single_tokens_and_a_prompt_of_one_token(model):
    same = [TokenizedItem((4, 5, 6), ((7,), (8,))), TokenizedItem((4, 5, 6), ((9,), (7, 8)))]
    short = [
        TokenizedItem((4,), ((7,), (8, 9))),
        TokenizedItem((4, 5), ((7,),)),
        TokenizedItem((6,), ((7,),)),
    ]
    for items in (same, short, same[:1], short[:1]):
        expected = flat(by_definition(model, item) for item in items)
        assert flat(score(model, items, 64)) == pytest.approx(expected, abs=1e-5)
    assert score(model, [], 64) == []


def test_what_is_shared_is_read_once_and_passes_stay_small(model):
    items, sizes = drawn(20, shared=40), []
    hook = model.base_model.register_forward_pre_hook(
        lambda module, args, more: sizes.append(
            (*(args or [more["input_ids"]])[0].shape, more["past_key_values"].get_seq_length())
        ),
        with_kwargs=True,
    )
    projected = []
    head = model.get_output_embeddings().register_forward_hook(
        lambda module, args, output: projected.append(output.shape[:-1].numel())
    )
    score(model, items, 500)
    hook.remove(), head.remove()
    assert sizes.pop(0) == (1, 1, 0)  # whether the cache can be branched
    shared = 40  # or a little more, where the next tokens happen to agree
    assert sizes[0][0] == 1 and sizes[0][1] >= shared
    assert all(cached >= shared for _, _, cached in sizes[1:])
    assert all(rows * (new + cached) <= 500 for rows, new, cached in sizes)
    assert sum(projected) == sum(len(c) for item in items for c in item.continuations)
    assert len(sizes) < 40


@pytest.mark.parametrize(("lengths", "passes"), [(range(8, 16), 2), ((8, 50), 2), ((8, 200), 4)])
def test_prompts_of_nearly_one_length_share_their_passes(lengths, passes):
    model, read = random_model(BY_NAME["Llama"]), []
    hook = model.base_model.register_forward_hook(lambda *_: read.append(1))
    items = [TokenizedItem(tuple(i % 50 for i in range(n)), ((3, 4), (5,))) for n in lengths]
    found = score(model, items, 8192)
    hook.remove()
    assert len(read) == 1 + passes  # the first: whether the cache can be branched
    assert flat(found) == pytest.approx(flat(by_definition(model, i) for i in items), rel=1e-4)


def test_a_frozen_model_and_one_in_bfloat16(model):
    items = drawn(6)
    expected = score(model, items, 300)
    model.requires_grad_(False)
    assert score(model, items, 300) == expected
    model.requires_grad_(True)
    low = score(copy.deepcopy(model).to(torch.bfloat16), items, 300)
    assert flat(low) != flat(expected)
    assert flat(low) == pytest.approx(flat(expected), rel=0.1, abs=2)


def test_progress_counts_the_items(model, caplog):
    caplog.set_level(logging.INFO)
    progress = Progress(30, "questions")
    score(model, drawn(30), 100, progress)
    assert progress.done == 30 and "30/30 questions" in caplog.text


# Choice questions as token ids


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_tokenizer(["Oslo", "Rome", "Answer", "Question"])


def question(**changes):
    return ChoiceQuestion(**{
        "id": "q1", "question": "Where is the fjord?", "choices": ["Oslo", "Rome or so"],
        "labels": [1, 0], **changes,
    })  # fmt: skip


def decoded(tokenizer, item):
    return tokenizer.decode(item.prompt), [tokenizer.decode(one) for one in item.continuations]


@pytest.mark.parametrize(
    ("style", "prompt", "continuations"),
    [
        ("qa", "Question: Where is the fjord?\nAnswer:", [" Oslo", " Rome or so"]),
        ("continuation", "Where is the fjord?", [" Oslo", " Rome or so"]),
        ("letters", "Where is the fjord?\nA. Oslo\nB. Rome or so\nAnswer:", [" A", " B"]),
        (
            "chat",
            "<|im_start|>user\nWhere is the fjord?<|im_end|>\n<|im_start|>assistant\n",
            ["Oslo", "Rome or so"],
        ),
    ],
)
def test_styles(tokenizer, style, prompt, continuations):
    assert decoded(tokenizer, encode(tokenizer, question(), style)) == (prompt, continuations)


def test_the_benchmarks_example_pairs_come_from_the_harness(tokenizer):
    pytest.importorskip("lm_eval", reason="the TruthfulQA prompt is read from lm-eval")
    prompt, continuations = texts(question(), "truthfulqa")
    *pairs, last = prompt.split("\n\n")
    assert len(pairs) == 6 and all(pair.startswith("Q: ") and "\nA: " in pair for pair in pairs)
    assert last == "Q: Where is the fjord?\nA:" and continuations == [" Oslo", " Rome or so"]
    odd = texts(question(question="What {{ is }} '{%' & \"this\"?"), "truthfulqa")[0]
    assert odd.endswith("\n\nQ: What {{ is }} '{%' & \"this\"?\nA:")


def test_without_the_harness_there_is_no_such_prompt(monkeypatch):
    prompts._primer.cache_clear()
    monkeypatch.setattr(prompts, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="install lm-eval"):
        texts(question(), "truthfulqa")
    prompts._primer.cache_clear()


def test_trailing_spaces_go_to_the_continuations(tokenizer):
    asked = question(question="Where? \n ")
    found = decoded(tokenizer, encode(tokenizer, asked, "continuation"))
    assert found == ("Where?", [" \n  Oslo", " \n  Rome or so"])


def test_prompt_and_choice_are_tokenised_as_one_text():
    """A tokenizer that merges across words shows it: only then is 'ing' known after a space."""
    merging = tiny_tokenizer(["Answer: go", "is it"])
    whole = merging("Where is it go")["input_ids"]
    item = encode(merging, question(question="Where is it", choices=["go", "no"]), "continuation")
    assert [*item.prompt, *item.continuations[0]] == whole


def test_a_start_token_is_there_once_where_the_tokenizer_adds_it(tokenizer):
    from tokenizers.processors import TemplateProcessing

    starting = tiny_tokenizer(["Oslo"])
    starting.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", starting.bos_token_id)]
    )
    for style in ("qa", "chat"):
        item = encode(starting, question(), style)
        assert item.prompt[0] == starting.bos_token_id != item.prompt[1]
        assert all(starting.bos_token_id not in one for one in item.continuations)
    assert tokenizer.bos_token_id not in encode(tokenizer, question(), "qa").prompt


def test_what_cannot_be_asked(tokenizer):
    with pytest.raises(InputError, match=r"question q1: choice '☃' has no token"):
        # A normaliser that drops a choice altogether.
        from tokenizers import normalizers

        dropping = tiny_tokenizer()
        dropping.backend_tokenizer.normalizer = normalizers.Replace(" ☃", "")
        encode(dropping, question(choices=["Oslo", "☃"]), "qa")
    item = encode(tokenizer, question(), "qa")
    fits = len(item.prompt) + max(map(len, item.continuations)) - 1
    assert encode(tokenizer, question(), "qa", fits) == item
    with pytest.raises(InputError, match=rf"question q1: .* reads at most {fits - 1};"):
        encode(tokenizer, question(), "qa", fits - 1)
    with pytest.raises(InputError, match="question q1: 27 choices, but only 26 letters"):
        many = question(choices=[str(i) for i in range(27)], labels=[1] + [0] * 26)
        encode(tokenizer, many, "letters")
    plain = tiny_tokenizer()
    plain.chat_template = None
    with pytest.raises(InputError, match="no chat template"):
        encode(plain, question(), "chat")


def test_a_token_across_prompt_and_choice(tiny_base):
    """Every choice is scored from before the token: what is compared is the same text."""
    tokenizer = tiny_tokenizer()
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    backend["pre_tokenizer"]["use_regex"] = False  # which would end a token at the space
    number = len(tokenizer)
    for left, right in ((":", "Ġ"), (":Ġ", "C")):
        backend["model"]["vocab"][left + right] = number
        backend["model"]["merges"].append([left, right])
        number += 1
    across = tiny_tokenizer()
    across._tokenizer = type(tokenizer.backend_tokenizer).from_str(json.dumps(backend))
    asked = question(choices=["Oslo", "Rome", "Bern"], labels=[1, 0, 0])
    item = encode(across, asked, "letters")
    start = "Where is the fjord?\nA. Oslo\nB. Rome\nC. Bern\nAnswer"
    assert decoded(across, item) == (start, [": A", ": B", ": C"])
    assert [len(tokens) for tokens in item.continuations] == [2, 2, 1]
    model = random_model(BY_NAME["Qwen3"], len(across))
    for found, end in zip(score(model, [item], 4096)[0], (": A", ": B", ": C"), strict=True):
        ids = across(start + end, return_tensors="pt")["input_ids"]
        n = ids.shape[1] - len(across(start)["input_ids"])
        with torch.no_grad():
            logp = torch.log_softmax(model(ids).logits[0], -1)[-n - 1 : -1]
        assert found == pytest.approx(float(logp.gather(-1, ids[0, -n:, None]).sum()), abs=1e-4)


def test_no_number_is_no_score(tiny_base):
    """With the checkpoint, the precision and the key to set."""
    model = checkpoints.load_model(tiny_base, "float32").eval()
    item = encode(checkpoints.load_tokenizer(tiny_base), question(), "qa")
    with torch.no_grad():
        next(iter(model.parameters()))[item.prompt[2], 0] = 70_000.0
    low = copy.deepcopy(model).to(torch.float16)
    told = rf"{tiny_base}: in float16 its logits are no numbers .* set scoring\.dtype to float32"
    with pytest.raises(InputError, match=told):
        score(low, [item], 4096)
    assert all(value < 0 for value in score(model, [item], 4096)[0])
    with torch.no_grad():
        model.get_output_embeddings().weight[1, 0] = float("nan")
    with pytest.raises(InputError, match=r"in float32 .* its weights are damaged"):
        score(model, [item], 4096)


def test_context_length(model, tiny_base):
    assert context_length(model) == model.config.max_position_embeddings
    assert context_length(checkpoints.load_model(tiny_base, "float32")) == 512
