"""Generation and scoring: the same as on a CPU in float32, how fast, and how much memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from card import GIB, Lab, LeftOut, Row
from measuring import ROOT, check

TIE = 1e-2  # of a logit: tokens so near may change places by rounding
APART = 1e-3  # nats
UTILISATION = 0.5  # of the card's memory: this process keeps some itself


@cache
def prompts(lab: Lab) -> list:
    """Questions about facts, asked in plain text."""
    from plumbline.data.facts import load_embedded
    from plumbline.generation.engine import RenderedPrompt
    from plumbline.records import Sampling

    facts = load_embedded(ROOT / "workflow/resources/facts").questions
    few = facts[:: max(1, len(facts) // lab.sizes.prompts)][: lab.sizes.prompts]
    texts = [f"Question: {fact.question}\nAnswer:" for fact in few]
    sampling = Sampling(max_tokens=lab.sizes.answer)
    return [RenderedPrompt(tuple(lab.tokenizer(text)["input_ids"]), sampling) for text in texts]


def _engines(lab: Lab, device: str, engine: str, adapters: str = "merged"):
    from plumbline.config.engines import GenerationSettings
    from plumbline.generation.start import Engines

    settings = GenerationSettings(
        engine=engine,
        adapters=adapters,
        dtype="float32",
        max_num_seqs=lab.sizes.prompts,
        max_model_len=256,
        kv_cache_gib=1,
        gpu_memory_utilization=UTILISATION,
    )
    return Engines(settings, device, lab.threads, lab.work)


def _tokens(engine, lab: Lab) -> list[list[int]]:
    return [answer.token_ids for (answer,) in engine.complete(prompts(lab))]


@cache
def on_cpu(lab: Lab, checkpoint: Path) -> list[list[int]]:
    """Greedy answers of a checkpoint on the CPU in float32, by `transformers`."""
    with _engines(lab, "cpu", "transformers") as engines:
        return _tokens(engines.of(checkpoint, lab.tokenizer), lab)


def same_as_on_cpu(lab: Lab, checkpoint: Path, found: list[list[int]]) -> str:
    """How many answers are those of the CPU; Different where one is not and was no tie."""
    import torch
    from plumbline.models.checkpoints import load_model

    wanted = on_cpu(lab, checkpoint)
    other = [n for n, (one, two) in enumerate(zip(found, wanted, strict=True)) if one != two]
    model = load_model(checkpoint, "float32").eval() if other else None
    for n in other:
        both = zip(found[n], wanted[n], strict=False)
        first = next((place for place, (one, two) in enumerate(both) if one != two), None)
        check(first is not None, f"answer {n}: {found[n]} breaks off; on a CPU {wanted[n]}")
        with torch.no_grad():
            read = torch.tensor([[*prompts(lab)[n].token_ids, *wanted[n][:first]]])
            logits = model(read).logits[0, -1]
        apart = float(logits[wanted[n][first]] - logits[found[n][first]])
        check(apart <= TIE, f"answer {n}, token {first}: {apart:.2g} below the CPU's in logits")
    ties = f", {len(other)} differ after a tie" if other else ""
    return f"{len(found) - len(other)} of {len(found)} greedy answers as on a CPU{ties}"


def generation(lab: Lab) -> Iterator[Row]:
    """The engine `transformers`."""
    with _engines(lab, lab.card.device, "transformers") as engines:
        engine = engines.of(lab.checkpoint, lab.tokenizer)
        found, seconds, gib = lab.card.measured(lambda: _tokens(engine, lab))
    rate = sum(map(len, found)) / seconds
    note = same_as_on_cpu(lab, lab.checkpoint, found)
    yield Row("generation, transformers, float32", "ok", seconds, gib, rate, note=note)


def scoring(lab: Lab) -> Iterator[Row]:
    """Log-probabilities of the CPU's answers."""
    from plumbline.models.checkpoints import load_model
    from plumbline.scoring.likelihood import TokenizedItem, score

    answers = on_cpu(lab, lab.checkpoint)
    items = [
        TokenizedItem(prompt.token_ids, (tuple(answer),))
        for prompt, answer in zip(prompts(lab), answers, strict=True)
    ]
    model = load_model(lab.checkpoint, "float32").eval()
    expected = score(model, items, 8192)
    model = model.to(lab.card.device)
    found, seconds, gib = lab.card.measured(lambda: score(model, items, 8192))
    apart = max(abs(a - b) for (a,), (b,) in zip(found, expected, strict=True))
    check(apart <= APART, f"log-probabilities differ from a CPU's by {apart:.2g} nats")
    read = sum(len(item.prompt) + len(item.continuations[0]) for item in items)
    note = f"{apart:.1g} nats from a CPU's at most"
    yield Row("scoring, float32", "ok", seconds, gib, read / seconds, note=note)


def vllm(lab: Lab, tuned: Path) -> Iterator[Row]:
    """The engine `vllm` over the base, then over a tuned checkpoint: start, answers, end."""
    if find_spec("vllm") is None:
        raise LeftOut("vllm is not installed")
    before = _free(lab)
    with _engines(lab, lab.card.device, "vllm") as engines:
        for name, checkpoint in (("start", lab.checkpoint), ("other weights", tuned)):
            yield from _answering(lab, engines, name, checkpoint, before)
    if before is not None:
        lost = before - _free(lab)
        check(lost < 1, f"after its end vLLM keeps {lost:.1f} GiB of the card")
        yield Row("vllm, end", "ok", note=f"all but {max(lost, 0):.2f} GiB given back")


def vllm_served(lab: Lab, tuned: Path) -> Iterator[Row]:
    """An adapter laid over its parent's weights by the engine `vllm`."""
    if find_spec("vllm") is None:
        raise LeftOut("vllm is not installed")
    before = _free(lab)
    with _engines(lab, lab.card.device, "vllm", "served") as engines:
        yield from _answering(lab, engines, "an adapter served", tuned, before)


def _answering(lab: Lab, engines, name: str, checkpoint: Path, before) -> Iterator[Row]:
    """A start of vLLM and its answers; before: GiB of the card that were free."""
    start = time.perf_counter()
    engine = engines.of(checkpoint, lab.tokenizer)
    seconds, held = time.perf_counter() - start, _free(lab)
    yield Row(f"vllm, {name}", "ok", seconds, before - held if before is not None else None)
    found, seconds, _ = lab.card.measured(lambda: _tokens(engine, lab))
    note = same_as_on_cpu(lab, checkpoint, found)
    rate = sum(map(len, found)) / seconds
    yield Row(f"vllm, answers after {name}, float32", "ok", seconds, None, rate, note=note)


def _free(lab: Lab) -> float | None:
    """GiB of the card that nobody has."""
    import torch
    from plumbline.jobs.memory import free

    free()
    return torch.cuda.mem_get_info()[0] / GIB if lab.card.device == "cuda" else None


def reload(lab: Lab, tuned: Path) -> Iterator[Row]:
    """A tuned checkpoint's own answers on the device, by `transformers`."""
    check(
        on_cpu(lab, tuned) != on_cpu(lab, lab.checkpoint),
        "the tuned checkpoint answers as the base does, so that nothing could be told",
    )
    with _engines(lab, lab.card.device, "transformers") as engines:
        engines.of(lab.checkpoint, lab.tokenizer)
        engine, seconds, gib = lab.card.measured(lambda: engines.of(tuned, lab.tokenizer))
        found = _tokens(engine, lab)
    note = same_as_on_cpu(lab, tuned, found)
    yield Row("other weights, transformers", "ok", seconds, gib, note=note)
