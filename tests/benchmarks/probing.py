"""What it costs to tell SliCK's categories: labels only, against every request in file order.

- labels only: what the stage does; the engine's prefix cache is met, and what can no longer change a
  category is not asked
- plain vLLM: all requests, in the order of their file, by one call of an engine with vLLM's defaults
- transformers: the same in batches filled up on the left, by `generate`

Engines start before the clock does, anew for each turn so that none finds its cache full. Greedy
answers must be right on the same questions. Samples differ from turn to turn, so what labels only
leaves out is checked on plain vLLM's own answers: served from them, categories must be the same.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import ROOT, Cost, check, cost_of, cost_rows, embedded_model, in_turn
from plumbline.config.engines import GenerationSettings
from plumbline.data.facts import load_embedded
from plumbline.data.select import select
from plumbline.generation.engine import Completion, Engine, RenderedPrompt, end_tokens, render
from plumbline.generation.serve import Server
from plumbline.generation.store import Store, prompt_key
from plumbline.methods.slick.annotation import annotate
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import GREEDY, draw_exemplar_sets, requests
from plumbline.models import checkpoints
from plumbline.records import Annotation, Generation, Question, Request

RELATIONS = ("country_capital", "us_city_state")
PROBED = 8  # questions a relation
SLICK = Slick(exemplar_sets=4, samples=4, max_tokens=12, mode="categories")
SETTINGS = GenerationSettings(max_model_len=1024, max_num_seqs=128)
BATCH = 64  # sequences of a batch of transformers
THREADS = len(os.sched_getaffinity(0))
AGREE = 0.99  # of questions: in float32, near ties may fall otherwise in another engine


class Work:
    """The questions, their requests, and what to make of the answers."""

    def __init__(self, checkpoint: Path):
        everything = load_embedded(ROOT / "workflow/resources/facts", list(RELATIONS), []).questions
        self.checkpoint, self.tokenizer = checkpoint, checkpoints.load_tokenizer(checkpoint)
        train = [question for question in everything if question.split == "train"]
        self.questions: list[Question] = select(train, {"train": PROBED}, 1)[0]
        self.requests: list[Request] = list(
            requests(self.questions, draw_exemplar_sets(everything, SLICK), SLICK)
        )
        self.prompts = [
            RenderedPrompt(render(self.tokenizer, r), r.sampling) for r in self.requests
        ]

    def generations(self, answers: list[list[Completion]]) -> list[Generation]:
        return [
            Generation(request=asked.id, purpose=asked.purpose, index=index, **vars(one))
            for asked, drawn in zip(self.requests, answers, strict=True)
            for index, one in enumerate(drawn)
        ]

    def labels(self, found: list[Generation]) -> list[Annotation]:
        return annotate(self.questions, self.requests, found)

    def serve(self, engine: Engine) -> list[Generation]:
        """As the stage does it, with an empty store."""
        with TemporaryDirectory() as store:
            server = Server(
                Store(Path(store)), self.tokenizer, lambda: engine,
                max_model_len=SETTINGS.max_model_len,
            )  # fmt: skip
            return list(server.serve(self.requests))


class Answered(Engine):
    """An engine that gives the answers that another one gave."""

    def __init__(self, prompts: list[RenderedPrompt], answers: list[list[Completion]]):
        self._answers = dict(zip(map(prompt_key, prompts), answers, strict=True))

    def stream(
        self, prompts: Iterable[tuple[str, RenderedPrompt]]
    ) -> Iterator[tuple[str, list[Completion]]]:
        return ((name, self._answers[prompt_key(prompt)]) for name, prompt in prompts)


def labels_only(work: Work, folder: Path) -> tuple[Cost, list[Generation]]:
    from plumbline.generation.start import Engines

    with Engines(SETTINGS, "cpu", THREADS, folder) as engines:
        engine = engines.of(work.checkpoint, work.tokenizer)
        return cost_of(lambda: work.serve(engine))


def plain_vllm(work: Work, folder: Path) -> tuple[Cost, list[Generation]]:
    from plumbline.generation.vllm_engine import prepare_environment

    prepare_environment("cpu", THREADS, SETTINGS.kv_cache_gib)
    with checkpoints.full_weights(work.checkpoint, SETTINGS.dtype, folder) as weights:
        from vllm import LLM, SamplingParams, TokensPrompt

        engine = LLM(
            model=str(weights), dtype=SETTINGS.dtype, max_model_len=SETTINGS.max_model_len,
            enforce_eager=True,
        )  # fmt: skip
        ends = end_tokens(work.checkpoint, work.tokenizer)
        how = [
            SamplingParams(**one.sampling.model_dump() | {"stop": ["\n"], "stop_token_ids": ends})
            for one in work.prompts
        ]
        asked = [TokensPrompt(prompt_token_ids=list(one.token_ids)) for one in work.prompts]
        cost, outputs = cost_of(lambda: engine.generate(asked, how, use_tqdm=False))
        engine.llm_engine.engine_core.shutdown()
    answers = [
        [Completion(one.text, list(one.token_ids), "stop") for one in output.outputs]
        for output in outputs
    ]
    return cost, work.generations(answers)


def transformers(work: Work, model) -> tuple[Cost, list[Generation]]:
    import torch
    from plumbline.generation.engine import left_padded

    tokenizer, ends = work.tokenizer, end_tokens(work.checkpoint, work.tokenizer)

    def generate() -> list[list[Completion]]:
        answers: dict[int, list[Completion]] = {}
        for greedy in (True, False):
            n = 1 if greedy else SLICK.samples
            mine = [i for i, one in enumerate(work.requests) if (one.purpose == GREEDY) == greedy]
            draw = {
                "temperature": SLICK.temperature,
                "top_k": SLICK.top_k,
                "num_return_sequences": n,
            }
            for at in range(0, len(mine), BATCH // n):
                rows = mine[at : at + BATCH // n]
                ids, mask = left_padded(
                    [work.prompts[i].token_ids for i in rows], tokenizer.pad_token_id, "cpu"
                )
                with torch.inference_mode():
                    output = model.generate(
                        input_ids=ids, attention_mask=mask, max_new_tokens=SLICK.max_tokens,
                        do_sample=not greedy, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id,
                        stop_strings=["\n"], tokenizer=tokenizer, **({} if greedy else draw),
                    )  # fmt: skip
                texts = tokenizer.batch_decode(output[:, ids.shape[1] :], skip_special_tokens=True)
                for place, i in enumerate(rows):
                    own = texts[place * n : (place + 1) * n]
                    answers[i] = [Completion(text.split("\n")[0], [], "stop") for text in own]
        return [answers[i] for i in range(len(work.requests))]

    cost, found = cost_of(generate)
    return cost, work.generations(found)


def _agree(work: Work, found: dict[str, list[Generation]]) -> None:
    labels = {name: work.labels(generations) for name, generations in found.items()}
    print({name: dict(Counter(one.category for one in own)) for name, own in labels.items()})
    right = {name: [one.greedy_correct for one in own] for name, own in labels.items()}
    for name, own in right.items():
        pairs = zip(own, right["labels only"], strict=True)
        share = sum(one == other for one, other in pairs) / len(own)
        check(share >= AGREE, f"{name}: greedy answers right as often on {share:.0%} of questions")
    answers: dict[str, list[Completion]] = {one.id: [] for one in work.requests}
    for one in found["plain vLLM"]:
        answers[one.request].append(Completion(one.text, one.token_ids, one.finish))
    again = work.labels(work.serve(Answered(work.prompts, list(answers.values()))))
    check(
        [one.category for one in again] == [one.category for one in labels["plain vLLM"]],
        "of the same answers, labels only makes other categories",
    )


def measure(folder: Path) -> list[dict]:
    """Rows of the three ways to probe."""
    work = Work(embedded_model())
    model = checkpoints.load_model(work.checkpoint, SETTINGS.dtype).eval()
    variants: dict[str, Callable] = {
        "labels only": partial(labels_only, work, folder),
        "plain vLLM": partial(plain_vllm, work, folder),
        "transformers": partial(transformers, work, model),
    }
    costs = in_turn(variants, partial(_agree, work))
    answers = sum(request.sampling.n for request in work.requests)
    name = f"probing {len(work.questions)} questions, {answers:,} answers"
    return cost_rows(name, costs, "labels only")
