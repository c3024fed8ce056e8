"""Token distribution shift: ranks against their definition, and the files around them."""

import random
from pathlib import Path

import pytest
import torch
from plumbline.data.instruction_sets import Prompt
from plumbline.evaluation import answer_ranks as scoring
from plumbline.evaluation import rank_shift as shift
from plumbline.generation.engine import end_tokens, render
from plumbline.generation.transformers_engine import RenderedPrompt, TransformersEngine
from plumbline.models import checkpoints, loaded
from plumbline.models.importing import import_model
from plumbline.records import Generation, Request, Sampling
from plumbline.scoring.ranks import TokenizedAnswer, token_ranks
from plumbline.storage.files import InputError, read_rows, read_unique_rows, write_rows
from programs import program
from tiny import tiny_model, tiny_tokenizer
from transformers import LlamaConfig

PROMPTS = [
    Prompt(id=f"p{n}", instruction="Tell " + "Oslo " * n, domain=domain, topic=f"t{n}", source="x")
    for n, domain in enumerate(["id", "id", "id", "ood", "ood", "ood"])
]


# Ranks


class Fixed(torch.nn.Module):
    """A model whose logits depend on the last token alone, by a table (token x token)."""

    def __init__(self, table):
        super().__init__()
        self.head = torch.nn.Linear(len(table), len(table), bias=False)
        self.head.weight.data = torch.tensor(table, dtype=torch.float32).T
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.config = LlamaConfig()
        self.passes = []

    def get_output_embeddings(self):
        return self.head

    def forward(self, input_ids, use_cache):
        from types import SimpleNamespace

        self.passes.append(tuple(input_ids.shape))
        hidden = torch.nn.functional.one_hot(input_ids, len(self.head.weight)).float()
        return SimpleNamespace(logits=self.head(hidden))


def test_ranks_of_known_logits_a_tie_gets_the_better_one():
    table = [[3, 2, 1, 0], [0, 5, 5, 1], [1, 1, 1, 1], [0, 1, 2, 3]]
    found = token_ranks(
        Fixed(table),
        [
            TokenizedAnswer((3, 0), (3, 3, 0)),  # after 0: last of four; after 3: first, then last
            TokenizedAnswer(
                (0,), (1, 1, 2, 0)
            ),  # second; tied for first; the same, after 1; all equal
            TokenizedAnswer((2,), ()),
            TokenizedAnswer((1,), (3,)),  # two tied ones above
        ],
        batch_tokens=100,
    )
    assert found == [[4, 1, 4], [2, 1, 1, 1], [], [3]]


def test_no_number_is_no_first_rank():
    with pytest.raises(InputError, match="NaN"):
        token_ranks(Fixed([[float("nan")] * 2] * 2), [TokenizedAnswer((0,), (1,))], 10)


def slow_ranks(model, answer):
    """A forward pass a token, one sequence at a time; ranks by sorting."""
    found, ids = [], list(answer.prompt)
    for token in answer.tokens:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1].double()
        found.append(1 + int((logits > logits[token]).sum()))
        ids.append(token)
    return found


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Another random model with the tokenizer of tiny_base. Not to be changed."""
    folder = tmp_path_factory.mktemp("other")
    words = ["Paris", "Rome", "Oslo", "capital", "France"]
    original = tiny_model(folder / "original", words, seed=5)
    import_model(original, folder / "other", "other", dtype="float32", source="file:tiny")
    return folder / "other"


@pytest.fixture(scope="module")
def adapter(tiny_base, tmp_path_factory):
    """An adapter on tiny_base with strong random weights. Not to be changed."""
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(
        checkpoints.load_model(tiny_base, "float32"),
        LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    source = torch.Generator().manual_seed(3)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data = torch.randn(weight.shape, generator=source) * 0.3
    folder = tmp_path_factory.mktemp("adapter") / "tuned"
    checkpoints.write_adapter(
        folder, "tuned", tiny_base, model.save_pretrained, checkpoints.load_tokenizer(tiny_base)
    )
    return folder


def drawn(count, words, seed=0):
    source = random.Random(seed)

    def some(low, high):
        return tuple(source.randrange(words) for _ in range(source.randint(low, high)))

    return [TokenizedAnswer(some(1, 12), some(0, 30)) for _ in range(count)]


@pytest.mark.parametrize("batch_tokens", [1, 100, 10_000])
def test_equal_to_one_forward_a_token(other, batch_tokens):
    model = checkpoints.load_model(other, "float32").eval()
    answers = drawn(12, 200)
    expected = [slow_ranks(model, answer) for answer in answers]
    assert token_ranks(model, answers, batch_tokens) == expected
    assert len({rank for row in expected for rank in row}) > 50


def test_one_pass_whatever_the_length_of_the_answer():
    """Cost grows with the tokens read, once each."""
    for length in (1, 10, 1000):
        model = Fixed([[0, 1], [1, 0]])
        token_ranks(model, [TokenizedAnswer((0, 1), (1,) * length)], 10_000)
        assert model.passes == [(1, 2 + length - 1)]


def test_passes_fit_the_tokens_they_may_span():
    model = Fixed([[0, 1], [1, 0]])
    answers = [TokenizedAnswer((0,), (1,) * n) for n in (9, 3, 3, 30, 4, 1)]
    token_ranks(model, answers, 12)
    assert [rows * width for rows, width in model.passes] == [9, 4, 9, 30]


# What was written


def request(prompt, **changes):
    sampling = Sampling(max_tokens=24, stop=("### End",))
    about = {"id": f"{prompt.id}/r", "prompt": prompt.instruction, "sampling": sampling}
    return Request(**{**about, "purpose": "x", "instruction": prompt.id, **changes})


def write_greedily(folder, requests):
    """Generations of a checkpoint through the engine of transformers, in float32."""
    tokenizer = checkpoints.load_tokenizer(folder)
    engine = TransformersEngine(
        checkpoints.load_model(folder, "float32").eval(), tokenizer,
        end_token_ids=end_tokens(folder, tokenizer), batch_size=3,
    )  # fmt: skip
    prompts = [RenderedPrompt(render(tokenizer, one), one.sampling) for one in requests]
    return [
        Generation(request=one.id, purpose="x", index=0, **vars(completion))
        for one, (completion,) in zip(requests, engine.complete(prompts), strict=True)
    ]


def measured(tuned, reference):
    requests = [request(prompt) for prompt in PROMPTS]
    tokenizer = checkpoints.load_tokenizer(tuned)
    written = scoring.greedy_written(PROMPTS, requests, write_greedily(tuned, requests), tokenizer)
    rows = scoring.measure(
        written, tuned, reference, tokenizer, dtype="float32", device="cpu", threads=1,
        batch_tokens=300,
    )  # fmt: skip
    return written, rows


def test_a_model_against_itself_is_unshifted(tiny_base, adapter):
    for folder in (tiny_base, adapter):
        _, rows = measured(folder, folder)
        assert sum(len(row.ranks) for row in rows) > 30
        assert {rank for row in rows for rank in [*row.ranks, *row.own_ranks]} == {1}
        found = {
            (m.domain, m.metric): m.estimate for m in shift.shift_measures(rows, confidence=0.95)
        }
        for domain in ("id", "ood"):
            assert found[domain, "unshifted"].value == found[domain, "own_first"].value == 1
            assert found[domain, "shifted"].value == found[domain, "marginal"].value == 0


def test_an_adapter_switched_off_is_its_parent(tiny_base, adapter, monkeypatch):
    loaded.clear()
    monkeypatch.setattr(checkpoints, "load_model", counted := Counted(checkpoints.load_model))
    written, rows = measured(adapter, tiny_base)
    # By the engine, and as what the adapter is put on: the parent's weights are read once each.
    assert counted.folders.count(tiny_base.resolve()) == 2
    monkeypatch.undo()
    assert scoring.is_adapter_on(adapter, tiny_base)
    parent = checkpoints.load_model(tiny_base, "float32").eval()
    merged = checkpoints.load_model(adapter, "float32").eval()
    for one, row in zip(written, rows, strict=True):
        assert row.ranks == slow_ranks(parent, one.answer)[: len(row.ranks)]
        assert row.own_ranks == slow_ranks(merged, one.answer)[: len(row.ranks)]
    assert any(rank > 3 for row in rows for rank in row.ranks)


class Counted:
    """A loader that notes what it loads."""

    def __init__(self, load):
        self.load, self.folders = load, []

    def __call__(self, folder, dtype):
        self.folders.append(Path(folder).resolve())
        return self.load(folder, dtype)


def test_any_other_two_are_loaded_one_after_the_other(tiny_base, other, adapter):
    for tuned, reference in ((tiny_base, other), (adapter, other), (tiny_base, adapter)):
        assert not scoring.is_adapter_on(tuned, reference)
        written, rows = measured(tuned, reference)
        slow = checkpoints.load_model(reference, "float32").eval()
        for one, row in zip(written, rows, strict=True):
            assert row.ranks == slow_ranks(slow, one.answer)[: len(row.ranks)]
            assert set(row.own_ranks) <= {1}


def generation(tokenizer, text, tail, finish="stop"):
    ids = tokenizer(text)["input_ids"] + list(tail)
    return Generation(request="p0/r", purpose="x", index=0, text=text, token_ids=ids, finish=finish)


def test_the_end_stands_apart(tiny_base):
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    eos, stop = tokenizer.eos_token_id, tokenizer("### End")["input_ids"]
    body = tokenizer("Oslo is")["input_ids"]
    assert len(stop) > 2
    for tail, finish, last, ended in (
        ([eos], "stop", (eos,), True),
        (stop, "stop", (stop[0],), True),
        ([], "length", (), False),
    ):
        (one,) = scoring.greedy_written(
            PROMPTS, [request(PROMPTS[0])], [generation(tokenizer, "Oslo is", tail, finish)],
            tokenizer,
        )  # fmt: skip
        assert one.answer.tokens == (*body, *last) and one.ended == ended
        (row,) = scoring.measure(
            [one], tiny_base, tiny_base, tokenizer, dtype="float32", device="cpu", threads=1,
            batch_tokens=99,
        )  # fmt: skip
        assert len(row.ranks) == len(row.own_ranks) == len(body)
        assert "".join(row.tokens) == "Oslo is" and row.truncated != ended
        assert (row.end_rank is not None) == ended
    (silent,) = scoring.greedy_written(
        PROMPTS, [request(PROMPTS[0])], [generation(tokenizer, "", [eos])], tokenizer
    )
    assert silent.answer.tokens == (eos,) and silent.ended


def test_what_was_not_drawn_greedily_is_refused(tiny_base):
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    warm = request(PROMPTS[0], sampling=Sampling(max_tokens=8, temperature=0.7))
    answer = generation(tokenizer, "Oslo", [])
    with pytest.raises(InputError, match=r"request p0/r: .* temperature 0.7; .* one greedy"):
        scoring.greedy_written(PROMPTS, [warm], [answer], tokenizer)
    with pytest.raises(InputError, match="its instruction is not among the prompts"):
        scoring.greedy_written(PROMPTS[1:], [request(PROMPTS[0])], [answer], tokenizer)


def test_different_tokenizers_are_refused(tiny_base):
    own = checkpoints.load_tokenizer(tiny_base)
    requests = [request(prompt) for prompt in PROMPTS]
    scoring.check_tokenizers(own, checkpoints.load_tokenizer(tiny_base), requests)
    with pytest.raises(InputError, match=r"different tokenizers: '.+' is token .+ choose another"):
        scoring.check_tokenizers(own, tiny_tokenizer(["Paris", "Vienna"]), requests)
    from tokenizers import normalizers

    folding = checkpoints.load_tokenizer(tiny_base)
    folding.backend_tokenizer.normalizer = normalizers.Lowercase()
    with pytest.raises(InputError, match=r"request p0/r: .* take its prompt apart differently"):
        scoring.check_tokenizers(own, folding, requests)


def test_the_program_that_measures(tiny_base, adapter, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    requests = [request(prompt) for prompt in PROMPTS]
    write_rows(tmp_path / "prompts.jsonl", PROMPTS)
    write_rows(tmp_path / "requests.jsonl", requests)
    write_rows(tmp_path / "generations.jsonl", write_greedily(adapter, requests))
    program(
        monkeypatch, "measure_token_shift", tuned=adapter, reference=tiny_base,
        instructions=tmp_path / "prompts.jsonl", requests=tmp_path / "requests.jsonl",
        generations=tmp_path / "generations.jsonl", dtype="float32", scoring="{}", device="cpu",
        threads=1, shift=tmp_path / "shift.jsonl",
    )  # fmt: skip
    assert "6 answers" in caplog.text
    _, expected = measured(adapter, tiny_base)
    assert read_unique_rows(tmp_path / "shift.jsonl", shift.TokenShift) == expected
    assert [one.domain for one in expected] == [prompt.domain for prompt in PROMPTS]
    assert len(list(read_rows(tmp_path / "shift.jsonl", shift.TokenShift))) == 6
