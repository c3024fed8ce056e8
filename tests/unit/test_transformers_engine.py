import functools
from itertools import takewhile

import pytest
import torch
from architectures import ARCHITECTURES, BY_NAME, parameters, random_model
from hypothesis import example, given
from hypothesis import strategies as st
from plumbline.generation.drafts import PASS, cheapest_batches
from plumbline.generation.engine import RenderedPrompt, end_tokens, render
from plumbline.generation.greedy import greedy_answers
from plumbline.generation.transformers_engine import TransformersEngine
from plumbline.models import checkpoints
from plumbline.records import Message, Request, Sampling
from plumbline.storage.files import InputError, write_json

TEXTS = [f"{'word ' * length}{length}:" for length in (1, 7, 2, 12, 3, 4)]


@pytest.fixture(scope="module")
def tokenizer(tiny_base):
    return checkpoints.load_tokenizer(tiny_base)


@pytest.fixture(scope="module")
def model(tiny_base):
    """The tiny model with stronger layers: it would otherwise repeat the prompt's last token."""
    model = checkpoints.load_model(tiny_base, "float32").eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "proj" in name:
                weights.mul_(12)
    return model


@pytest.fixture
def engine(model, tokenizer):
    return TransformersEngine(
        model, tokenizer, end_token_ids=[tokenizer.eos_token_id], batch_size=4
    )


def prompts(tokenizer, texts=TEXTS, **sampling):
    settings = Sampling(**{"max_tokens": 8, **sampling})
    return [RenderedPrompt(tuple(tokenizer(text)["input_ids"]), settings) for text in texts]


def argmax_chain(model, token_ids, steps):
    """Greedy decoding from its definition: one forward pass a token, no cache, no padding."""
    ids = list(token_ids)
    with torch.inference_mode():
        for _ in range(steps):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(token_ids) :]


def test_batched_greedy_is_the_chain_of_likeliest_tokens(engine, model, tokenizer):
    asked = prompts(tokenizer)
    answers = engine.complete(asked)
    assert [len(one) for one in answers] == [1] * len(asked)
    for prompt, (answer,) in zip(asked, answers, strict=True):
        expected = argmax_chain(model, prompt.token_ids, 8)
        if tokenizer.eos_token_id in expected:
            expected = expected[: expected.index(tokenizer.eos_token_id) + 1]
        assert answer.token_ids == expected
        assert engine.complete([prompt]) == [[answer]]
    assert len({one.text for (one,) in answers}) == len(asked)
    assert max(len(set(one.token_ids)) for (one,) in answers) > 3


class Parrot(torch.nn.Module):
    """Stands in for a model's `generate`: the answers are given, so that cutting can be seen."""

    device = torch.device("cpu")

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def generate(self, input_ids, **_):
        width = max(map(len, self.answers))
        rows = [row + [3] * (width - len(row)) for row in self.answers]
        return torch.cat([input_ids, torch.tensor(rows)], dim=1)


@pytest.mark.parametrize(
    ("written", "stop", "text", "kept", "finish"),
    [
        ("Paris<|im_end|>", ("\n",), "Paris", "Paris<|im_end|>", "stop"),
        ("Paris\nQ: <|im_end|>", ("\n",), "Paris", "Paris\n", "stop"),
        ("Paris<|im_end|>x\n", ("\n",), "Paris", "Paris<|im_end|>", "stop"),
        ("Paris", ("\n",), "Paris", "Paris", "length"),
        ("a END b STOP", ("STOP", "END"), "a ", "a END", "stop"),
        ("<|im_end|>", (), "", "<|im_end|>", "stop"),
        ("\n", ("\n",), "", "\n", "stop"),
        ("Zoë\nx", ("\n",), "Zoë", "Zoë\n", "stop"),
    ],
)
def test_answers_are_cut_at_the_first_end_token_or_stop_string(
    tokenizer, written, stop, text, kept, finish
):
    ids = tokenizer(written)["input_ids"]
    engine = TransformersEngine(
        Parrot([ids]), tokenizer, end_token_ids=[tokenizer.eos_token_id], batch_size=4
    )
    (answer,) = engine.complete(prompts(tokenizer, ["x"], stop=stop, max_tokens=40))[0]
    assert (answer.text, answer.finish) == (text, finish)
    assert answer.token_ids == tokenizer(kept)["input_ids"]


def test_the_real_model_stops_at_a_stop_string(engine, tokenizer):
    free = engine.complete(prompts(tokenizer, max_tokens=12))
    for text, (answer,) in zip(TEXTS, free, strict=True):
        stop = next(
            (c for c in answer.text[1:] if c.isascii() and c.isprintable() and not c.isspace()),
            None,
        )
        if stop is None:
            continue
        (short,) = engine.complete(prompts(tokenizer, [text], max_tokens=12, stop=(stop,)))[0]
        assert (short.text, short.finish) == (answer.text[: answer.text.index(stop)], "stop")
        assert short.token_ids == answer.token_ids[: len(short.token_ids)]
        assert stop in tokenizer.decode(short.token_ids)
        assert stop not in tokenizer.decode(short.token_ids[:-1])
        break
    else:
        raise AssertionError("no answer held a character to stop at")


def test_samples(engine, tokenizer):
    torch.manual_seed(3)
    mixed = [
        *prompts(tokenizer, TEXTS[:3], n=3, temperature=1.0),
        *prompts(tokenizer, TEXTS[:2]),
    ]
    answers = engine.complete(mixed)
    assert [len(one) for one in answers] == [3, 3, 3, 1, 1]
    assert len({tuple(one.token_ids) for found in answers[:3] for one in found}) == 9
    assert answers[3:] == engine.complete(prompts(tokenizer, TEXTS[:2]))
    # Of one candidate token sampling is greedy, and so it is near temperature 0.
    narrow = engine.complete(prompts(tokenizer, TEXTS[:2], n=2, temperature=1.0, top_k=1))
    cold = engine.complete(prompts(tokenizer, TEXTS[:2], n=2, temperature=1e-4))
    assert narrow == cold == [[one, one] for (one,) in answers[3:]]


def ask(model, tokenizer, asked, go_on=lambda i, text: True, **changes):
    return greedy_answers(
        model, tokenizer, [one.token_ids for one in asked], go_on=go_on,
        **{"end_token_ids": [tokenizer.eos_token_id], "batch_size": 4, "max_tokens": 8, **changes},
    )  # fmt: skip


def test_greedy_answers_are_those_of_the_engine(engine, model, tokenizer):
    asked = prompts(tokenizer)
    expected = [answer.text for (answer,) in engine.complete(asked)]
    assert ask(model, tokenizer, asked) == expected
    # Rows leave the batch at different steps; the others must not notice.
    ends = sorted({answer.token_ids[2] for (answer,) in engine.complete(asked)})[:2]
    for row, text in enumerate(ask(model, tokenizer, asked, end_token_ids=ends)):
        alone = ask(model, tokenizer, asked[row : row + 1], end_token_ids=ends)
        assert [text] == alone and expected[row].startswith(text.rstrip("\ufffd"))


def test_answers_that_are_given_up_are_not_finished(model, tokenizer):
    asked = prompts(tokenizer)
    whole, seen = ask(model, tokenizer, asked), {}

    def go_on(i, text):
        seen.setdefault(i, []).append(text)
        return i != 1 or len(seen[i]) < 3

    answers = ask(model, tokenizer, asked, go_on)
    assert len(seen[1]) == 3 and answers[1] == seen[1][2]
    assert answers[:1] + answers[2:] == whole[:1] + whole[2:]


def test_drafts_change_what_answers_cost_and_not_the_answers(model, tokenizer):
    """Of every kind: the answer, a part of it, more than it, one that goes wrong, and none."""
    asked = prompts(tokenizer)
    asked += prompts(tokenizer, [f"{TEXTS[3]}{n}" for n in range(9)])  # which begin alike
    chains = [argmax_chain(model, one.token_ids, 8) for one in asked]
    wrong = [[*chain[:2], (chain[2] + 1) % len(tokenizer), *chain[3:]] for chain in chains]
    kinds = (chains, [chain[:3] for chain in chains], [chain * 2 for chain in chains], wrong)
    mixed = [kinds[i % 5][i] if i % 5 < 4 else [] for i in range(len(asked))]
    ends = [tokenizer.eos_token_id, chains[1][3]]
    for go_on in (lambda i, text: True, lambda i, text: len(text) < 2 + i % 3):
        expected = ask(model, tokenizer, asked, go_on, end_token_ids=ends)
        for drafts in (*kinds, mixed):
            found = ask(model, tokenizer, asked, go_on, end_token_ids=ends, drafts=drafts)
            assert found == expected


def test_answers_that_are_their_drafts_are_read_in_one_pass(model, tokenizer, monkeypatch):
    asked = prompts(tokenizer, [f"{TEXTS[3]}{n}" for n in range(4)])
    drafts = [argmax_chain(model, one.token_ids, 8) for one in asked]
    expected, passes, forward = ask(model, tokenizer, asked), [], model.forward

    @functools.wraps(forward)
    def counted(**named):
        passes.append(tuple(named["input_ids"].shape))
        return forward(**named)

    monkeypatch.setattr(model, "forward", counted)
    assert ask(model, tokenizer, asked, drafts=drafts) == expected
    longest = max(len(one.token_ids) for one in asked)
    assert passes == [(4, longest + 7 - (len(asked[0].token_ids) - 1))]


def brute_force(prompts, lengths, limit):
    """The least that any cut of the sorted rows costs."""
    order = sorted(range(len(prompts)), key=lambda i: prompts[i])

    def cost(batch):
        first = [prompts[i] for i in batch]
        alike = takewhile(lambda tokens: len({*tokens}) == 1, zip(*first, strict=False))
        shared = min(len([*alike]), *(len(prompt) - 1 for prompt in first))
        return PASS + shared + len(batch) * (max(lengths[i] for i in batch) - shared)

    def least(rows):
        sizes = range(1, min(limit, len(rows)) + 1)
        return min((cost(rows[:n]) + least(rows[n:]) for n in sizes), default=0)

    return least(order)


@given(
    st.lists(
        st.tuples(st.text("ab", min_size=1, max_size=4), st.integers(1, 90), st.integers(0, 9)),
        min_size=1, max_size=9,
    ),
    st.integers(1, 9),
)  # fmt: skip
@example([("a", 40, 0), ("a", 40, 0), ("b", 3, 0)], 9)
def test_batches_that_share_a_beginning_are_the_cheapest_cuts(rows, limit):
    prompts = [(*beginning * repeat,) for beginning, repeat, _ in rows]
    lengths = [len(prompt) + more for prompt, (_, _, more) in zip(prompts, rows, strict=True)]
    total, seen = 0, []
    for batch, shared in cheapest_batches(prompts, lengths, limit):
        assert 0 < len(batch) <= limit
        assert len({prompts[i][:shared] for i in batch}) == 1
        assert all(shared < len(prompts[i]) for i in batch)
        total += PASS + shared + len(batch) * (max(lengths[i] for i in batch) - shared)
        seen += batch
    assert sorted(seen) == list(range(len(rows)))
    assert total == brute_force(prompts, lengths, limit)


def test_a_frozen_model_stays_frozen(model, tokenizer):
    head = model.get_output_embeddings().weight
    head.requires_grad_(False)
    ask(model, tokenizer, prompts(tokenizer)[:1])
    assert not head.requires_grad
    head.requires_grad_(True)


def test_rendering(tokenizer):
    sampling = Sampling(max_tokens=4)
    plain = Request(id="1", prompt="Q: x\nA:", sampling=sampling, purpose="test")
    assert tokenizer.decode(render(tokenizer, plain)) == "Q: x\nA:"
    chat = Request(
        id="2", messages=[Message(role="user", content="x")], sampling=sampling, purpose="test"
    )
    assert tokenizer.decode(render(tokenizer, chat)) == (
        "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n"
    )


def test_end_tokens_are_the_tokenizers_and_the_folders(tokenizer, tiny_base, tmp_path):
    """An adapter has no generation config: its base's counts, however many adapters lie between."""
    eos = tokenizer.eos_token_id
    about = {"name": "x", "weights_sha256": "0", "parent_weights_sha256": "0"}
    kinds = {"base": ("full", None), "lora": ("adapter", "../base"), "more": ("adapter", "../lora")}
    for name, (kind, parent) in kinds.items():
        write_json(tmp_path / name / "checkpoint.json", {**about, "kind": kind, "parent": parent})

    def ends():
        found = [end_tokens(tmp_path / name, tokenizer) for name in kinds]
        assert found == found[:1] * 3
        return found[0]

    assert ends() == [eos]
    for listed, expected in (([0, 99], {0, 99, eos}), (99, {99, eos}), (None, {eos})):
        write_json(tmp_path / "base" / "generation_config.json", {"eos_token_id": listed})
        assert ends() == sorted(expected)
    assert eos in end_tokens(tiny_base, tokenizer)


@pytest.mark.parametrize(
    "architecture",
    parameters(one for one in ARCHITECTURES if not one.branches or "sliding_window" in one.sizes),
)
def test_models_with_a_state_of_their_own_or_windows(architecture, tokenizer):
    """Neither filling nor rows that leave the batch change an answer."""
    model = random_model(architecture, len(tokenizer))
    asked = prompts(tokenizer, max_tokens=5)
    alone = [argmax_chain(model, prompt.token_ids, 5) for prompt in asked]
    unused = min(set(range(len(tokenizer))) - {token for one in alone for token in one})
    engine = TransformersEngine(model, tokenizer, end_token_ids=[unused], batch_size=4)
    assert [one.token_ids for (one,) in engine.complete(asked)] == alone
    ends = sorted({tokens[2] for tokens in alone})[:2]
    answers = ask(model, tokenizer, asked, end_token_ids=ends, max_tokens=5)
    for tokens, text in zip(alone, answers, strict=True):
        kept = next((at for at, token in enumerate(tokens) if token in ends), 5)
        assert text == tokenizer.decode(tokens[:kept], skip_special_tokens=True)


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_no_number_is_no_token(tokenizer, temperature):
    model = random_model(BY_NAME["Qwen3"], len(tokenizer))
    with torch.no_grad():
        model.get_output_embeddings().weight[7, 0] = float("nan")
    engine = TransformersEngine(model, tokenizer, end_token_ids=[1], batch_size=4)
    told = "Qwen3ForCausalLM: in float32 its logits are no numbers .*weights are damaged"
    with pytest.raises(InputError, match=told):
        engine.complete(prompts(tokenizer, temperature=temperature))
    with pytest.raises(InputError, match=told):
        ask(model, tokenizer, prompts(tokenizer))
    low = TransformersEngine(model.to(torch.float16), tokenizer, end_token_ids=[1], batch_size=4)
    with pytest.raises(InputError, match=r"in float16 .* set generation\.dtype to float32"):
        low.complete(prompts(tokenizer))
