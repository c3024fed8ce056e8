"""Every architecture from import to tuned checkpoints, against plain transformers.

The references here know nothing of the product: texts are put together by hand, one sequence goes
through the model at a time, without a cache and without padding, in float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from architectures import BY_NAME, FLAVOURS, Architecture, Flavour, build, parameters
from plumbline.config.engines import GenerationSettings
from plumbline.config.training import Recipe
from plumbline.generation.engine import RenderedPrompt, render
from plumbline.generation.start import Engines
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.records import (
    ChoiceQuestion,
    Example,
    Message,
    Pair,
    Probe,
    Request,
    Sampling,
)
from plumbline.scoring.likelihood import score
from plumbline.scoring.prompts import encode
from plumbline.storage.files import InputError, write_rows
from plumbline.training.run import TrainingRun, clean_up, train

NATS = 1e-4
QUESTIONS = ["Which city is the capital of France?", "capital of Italy", "Norway is"]
CHOICES = ["Paris", "Rome is not", "Oslo, I am told"]
TOKENS = 8


@dataclass
class Imported:
    """A model as it came, and as it was imported."""

    architecture: Architecture
    flavour: Flavour
    original: Path
    base: Path


@pytest.fixture(scope="module", params=parameters())
def imported(request, tmp_path_factory) -> Imported:
    architecture = request.param
    root = tmp_path_factory.mktemp(architecture.name)
    original, base = build(architecture, root / "original"), root / "base"
    import_model(original, base, "base", dtype="float32")
    return Imported(architecture, FLAVOURS[architecture.flavour], original, base)


def plain_model(folder: Path):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def encoded(flavour: Flavour, tokenizer, text: str) -> list[int]:
    """A text's ids with the tokenizer's own BOS, and no end."""
    begin = [tokenizer.convert_tokens_to_ids(flavour.bos)] if flavour.bos else []
    return begin + tokenizer(text, add_special_tokens=False)["input_ids"]


def plain_logprob(model, prompt: list[int], whole: list[int]) -> float:
    """Σ log p of what `whole` has beyond its common beginning with `prompt`."""
    start = 0
    while start < len(prompt) and prompt[start] == whole[start]:
        start += 1
    with torch.no_grad():
        logits = model(torch.tensor([whole]), use_cache=False).logits[0].float()
    p = torch.log_softmax(logits, -1)
    return sum(float(p[i - 1, whole[i]]) for i in range(start, len(whole)))


def plain_greedy(model, ids: list[int], ends: list[int]) -> list[int]:
    """The greedy answer, its end token included."""
    answer = []
    while len(answer) < TOKENS and not (answer and answer[-1] in ends):
        with torch.no_grad():
            logits = model(torch.tensor([ids + answer]), use_cache=False).logits[0, -1]
        answer.append(int(logits.argmax()))
    return answer


def scores(folder: Path, style: str = "qa") -> list[float]:
    """As the product scores: all questions at once."""
    tokenizer = checkpoints.load_tokenizer(folder)
    model = checkpoints.load_model(folder, "float32").eval()
    asked = [
        ChoiceQuestion(id=f"q{n}", question=text, choices=CHOICES, labels=[1, 0, 0])
        for n, text in enumerate(QUESTIONS)
    ]
    items = [encode(tokenizer, one, style) for one in asked]
    return [value for found in score(model, items, 4096) for value in found]


def plain_scores(imported: Imported, model, style: str = "qa") -> list[float]:
    from transformers import AutoTokenizer

    tokenizer, flavour = AutoTokenizer.from_pretrained(imported.original), imported.flavour
    found = []
    for text in QUESTIONS:
        for choice in CHOICES:
            if style == "chat":
                prompt = tokenizer(flavour.chat.format(text), add_special_tokens=False)["input_ids"]
                whole = prompt + tokenizer(choice, add_special_tokens=False)["input_ids"]
            else:
                prompt = encoded(flavour, tokenizer, f"Question: {text}\nAnswer:")
                whole = encoded(flavour, tokenizer, f"Question: {text}\nAnswer: {choice}")
            found.append(plain_logprob(model, prompt, whole))
    return found


def requests(flavour: Flavour) -> list[Request]:
    sampling = Sampling(max_tokens=TOKENS)
    plain = [
        Request(id=f"plain{n}", purpose="test", prompt=f"{text}\n", sampling=sampling)
        for n, text in enumerate(QUESTIONS)
    ]
    chat = [
        Request(
            id=f"chat{n}", purpose="test", sampling=sampling,
            messages=[Message(role="user", content=text)],
        )
        for n, text in enumerate(QUESTIONS)
    ]  # fmt: skip
    return plain + (chat if flavour.chat else [])


def answers(folder: Path, flavour: Flavour, work: Path, **settings) -> list[list[int]]:
    """As the product generates, all prompts at once."""
    tokenizer = checkpoints.load_tokenizer(folder)
    settings = GenerationSettings(**{"engine": "transformers", "dtype": "float32", **settings})
    with Engines(settings, "cpu", torch.get_num_threads(), work) as engines:
        asked = [RenderedPrompt(render(tokenizer, one), one.sampling) for one in requests(flavour)]
        return [one.token_ids for (one,) in engines.of(folder, tokenizer).complete(asked)]


def plain_answers(imported: Imported, model) -> list[list[int]]:
    from transformers import AutoTokenizer

    tokenizer, flavour = AutoTokenizer.from_pretrained(imported.original), imported.flavour
    ends = [tokenizer.convert_tokens_to_ids(token) for token in flavour.ends]
    prompts = [encoded(flavour, tokenizer, f"{text}\n") for text in QUESTIONS]
    if flavour.chat:
        chats = [flavour.chat.format(text) for text in QUESTIONS]
        prompts += [tokenizer(chat, add_special_tokens=False)["input_ids"] for chat in chats]
    return [plain_greedy(model, prompt, ends) for prompt in prompts]


def close(found: list[float], expected: list[float]) -> None:
    assert found == pytest.approx(expected, abs=NATS, rel=1e-6)


def test_choices_are_scored_as_by_plain_transformers(imported):
    model = plain_model(imported.original)
    close(scores(imported.base), plain_scores(imported, model))
    if imported.flavour.chat:
        close(scores(imported.base, "chat"), plain_scores(imported, model, "chat"))


def test_answers_are_those_of_plain_transformers(imported, tmp_path):
    expected = plain_answers(imported, plain_model(imported.original))
    assert answers(imported.base, imported.flavour, tmp_path) == expected


RECIPE = {
    "learning_rate": 0.01, "epochs": 1, "global_batch_size": 2, "micro_batch_size": 2,
    "max_length": 128, "dtype": "float32", "lora": {"rank": 4, "alpha": 8, "dropout": 0},
}  # fmt: skip


def tuned(imported: Imported, root: Path, rows: list, probes=(), **recipe) -> tuple[Path, dict]:
    """One step of training; the checkpoint and what training.json says."""
    write_rows(root / "rows.jsonl", rows)
    run = TrainingRun(
        name="tuned", examples=root / "rows.jsonl", parent=imported.base,
        recipe=Recipe(**{**RECIPE, **recipe}), stops=("final",), probes=list(probes),
        sampling=Sampling(max_tokens=4, stop=("\n",)), match="squad", seed=1, device="cpu",
        out=root / "tuned", work=root / "tuned/work",
    )  # fmt: skip
    summary = train(run)
    clean_up(run)
    return root / "tuned/final", summary


def sides(imported: Imported, *texts: str) -> list:
    """A prompt and answers, as messages where there is a template."""
    if not imported.flavour.chat:
        return [f"{texts[0]}\n", *texts[1:]]
    roles = ["user", *["assistant"] * (len(texts) - 1)]
    return [[Message(role=role, content=text)] for role, text in zip(roles, texts, strict=True)]


def plain_loss(imported: Imported, model, answered: list[tuple[str, str]]) -> float:
    """The mean of -log p over the tokens of the answers and the token that ends each."""
    from transformers import AutoTokenizer

    tokenizer, flavour = AutoTokenizer.from_pretrained(imported.original), imported.flavour
    total, count = 0.0, 0
    for question, answer in answered:
        if flavour.chat:
            ids = tokenizer(flavour.chat.format(question), add_special_tokens=False)["input_ids"]
        else:
            ids = encoded(flavour, tokenizer, f"{question}\n")
        end = tokenizer.convert_tokens_to_ids(flavour.turn_end or flavour.ends[0])
        whole = [*ids, *tokenizer(answer, add_special_tokens=False)["input_ids"], end]
        total -= plain_logprob(model, ids, whole)
        count += len(whole) - len(ids)
    return total / count


@pytest.mark.parametrize("parameters", ["full", "lora"])
def test_a_step_on_examples_starts_at_the_plain_loss_and_reloads(imported, tmp_path, parameters):
    answered = [("Which city is it?", "Paris"), ("capital of Italy", "Rome")]
    examples, probes = [], []
    for n, (question, answer) in enumerate(answered):
        prompt, completion = sides(imported, question, answer)
        examples.append(Example(id=f"e{n}", prompt=prompt, completion=completion))
        asked = {"messages": prompt} if imported.flavour.chat else {"prompt": prompt}
        probes.append(Probe(id=f"train/{n}", part="train", answers=[answer], domain="id",
                            category="Unknown", **asked))  # fmt: skip
    folder, summary = tuned(imported, tmp_path, examples, probes, parameters=parameters)
    before = plain_model(imported.original)
    assert summary["loss"][0]["loss"] == pytest.approx(
        plain_loss(imported, before, answered), abs=NATS
    )
    checked(imported, folder, before, tmp_path)


def test_a_step_on_pairs_starts_at_ln_2_and_reloads(imported, tmp_path):
    pairs = []
    for n, texts in enumerate([("Which city?", "Paris", "Rome"), ("capital", "Oslo", "it is")]):
        prompt, chosen, rejected = sides(imported, *texts)
        pairs.append(Pair(id=f"p{n}", prompt=prompt, chosen=chosen, rejected=rejected))
    folder, summary = tuned(imported, tmp_path, pairs, method="dpo", parameters="lora")
    assert summary["curve"][0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    checked(imported, folder, plain_model(imported.original), tmp_path)


def checked(imported: Imported, folder: Path, before, work: Path) -> None:
    """The tuned checkpoint, scored and asked, is what plain transformers makes of its files."""
    if checkpoints.describe(folder)["kind"] == "adapter":
        from peft import PeftModel

        after = PeftModel.from_pretrained(plain_model(imported.original), str(folder)).eval()
    else:
        after = plain_model(folder)
    expected = plain_scores(imported, after)
    assert expected != pytest.approx(plain_scores(imported, before), abs=0.01), "it was trained"
    close(scores(folder), expected)
    assert answers(folder, imported.flavour, work) == plain_answers(imported, after)


def test_logits_that_trl_would_compute_otherwise_are_refused(tiny_base, tmp_path, monkeypatch):
    """Whatever a model does to its logits after its head must be known to TRL."""
    load = checkpoints.load_model

    def doubled(folder, dtype):
        model = load(folder, dtype)
        model.get_output_embeddings().register_forward_hook(lambda module, args, found: 2 * found)
        return model

    monkeypatch.setattr(checkpoints, "load_model", doubled)
    examples = [Example(id=f"e{n}", prompt=f"capital {n}\n", completion="Rome") for n in range(2)]
    base = Imported(BY_NAME["Llama"], FLAVOURS["chatml"], tiny_base, tiny_base)
    with pytest.raises(InputError, match=r"llama: this model changes its logits .* TRL"):
        tuned(base, tmp_path, examples, parameters="full")
