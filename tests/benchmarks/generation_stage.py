"""What the stage that generates costs beside vLLM alone, on the same requests with a warm engine.

Probing requests of the embedded experiment's facts: four sets of exemplars, greedy answers. The
server renders, keys and sorts them, keeps every answer as it is finished and reads all of them
from its store; `LLM.generate` gets their tokens in the server's order. Both must give the same
answers.
"""

import itertools
import random
from functools import partial
from pathlib import Path

from measuring import ROOT, check, cost_of, cost_rows, embedded_model, in_turn, row
from plumbline.config.engines import GenerationSettings
from plumbline.data.facts import load_embedded
from plumbline.generation.engine import render
from plumbline.generation.serve import Server
from plumbline.generation.start import Engines
from plumbline.generation.store import Store
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import GREEDY, draw_exemplar_sets, requests
from plumbline.models.checkpoints import load_tokenizer
from plumbline.records import Request

RELATIONS = ["country_capital", "us_city_state"]
QUESTIONS = 150
SLICK = Slick(exemplar_sets=4, shots=4, samples=1, max_tokens=12)
SETTINGS = GenerationSettings(max_model_len=512)


def _requests() -> list[Request]:
    found = load_embedded(ROOT / "workflow/resources/facts", RELATIONS, []).questions
    train = [one for one in found if one.split == "train"]
    asked = random.Random(1).sample(train, QUESTIONS)
    return [
        one
        for one in requests(asked, draw_exemplar_sets(found, SLICK), SLICK)
        if one.purpose == GREEDY
    ]


def _served(folder: Path, engine, tokenizer, asked: list[Request]) -> dict[str, str]:
    server = Server(Store(folder), tokenizer, lambda: engine, max_model_len=SETTINGS.max_model_len)
    return {one.request: one.text for one in server.serve(asked)}


def _alone(engine, tokenizer, asked: list[Request]) -> dict[str, str]:
    from vllm import TokensPrompt

    rows = sorted((render(tokenizer, one), one.id) for one in asked)
    outputs = engine._llm.generate(
        [TokensPrompt(prompt_token_ids=list(ids)) for ids, _ in rows],
        engine._parameters(asked[0].sampling),
        use_tqdm=False,
    )
    return {name: out.outputs[0].text for (_, name), out in zip(rows, outputs, strict=True)}


def _agree(found: dict[str, dict[str, str]]) -> None:
    stage, alone = found.values()
    same = sum(stage[name] == alone[name] for name in alone) / len(alone)
    # Another batch rounds otherwise, and near ties fall the other way.
    check(stage.keys() == alone.keys() and same > 0.99, f"only {same:.1%} of answers agree")


def measure(folder: Path) -> list[dict]:
    """Rows of both; the stores are written into `folder`."""
    base = embedded_model()
    tokenizer, asked, turn = load_tokenizer(base), _requests(), itertools.count()
    with Engines(SETTINGS, "cpu", 2, folder / "merged") as engines:
        engine = engines.of(base, tokenizer)
        _alone(engine, tokenizer, asked[:40])  # warm

        def run(work):
            engine._llm.reset_prefix_cache()
            return cost_of(work)

        def stage():
            return _served(folder / f"store-{next(turn)}", engine, tokenizer, asked)

        variants = {
            "the stage": partial(run, stage),
            "LLM.generate": partial(run, partial(_alone, engine, tokenizer, asked)),
        }
        name = f"generating {len(asked)} answers"
        costs = in_turn(variants, _agree)
        rate = len(asked) / min(one.wall for one in costs["the stage"])
        return [*cost_rows(name, costs, "the stage"), row(name, "the stage", rate, "requests/s")]
