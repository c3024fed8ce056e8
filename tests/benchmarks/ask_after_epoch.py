"""What asking the monitor's questions after an epoch costs, per 100 questions.

The embedded experiment's model is asked, in float32, as after an epoch in which it learnt nothing
and, with weights trained on the questions here, as after one in which it learnt some: by
`measure`, and by the same decoding without drafts of the answers. Both must find the same
questions answered right.
"""

import random
from functools import partial
from pathlib import Path

import torch
from measuring import ROOT, check, cost_of, cost_rows, embedded_model, in_turn
from plumbline.data.facts import load_embedded
from plumbline.generation.engine import end_tokens
from plumbline.models import checkpoints
from plumbline.records import Probe, Sampling
from plumbline.responses.prompting import closed_book_prompt
from plumbline.training import monitor
from plumbline.training.data import Texts

RELATIONS = ["country_capital", "city_country", "us_city_state", "element_symbol"]
QUESTIONS = 100
SAMPLING = Sampling(max_tokens=12, stop=("\n",))


def _probes() -> list[Probe]:
    found = load_embedded(ROOT / "workflow/resources/facts", RELATIONS, []).questions
    chosen = random.Random(1).sample(sorted(found, key=lambda one: one.id), QUESTIONS)
    return [
        Probe(
            id=one.id,
            prompt=closed_book_prompt(one.question, "plain"),
            answers=one.answers,
            part="train",
            domain="id",
            category=one.relation,
        )
        for one in chosen
    ]


def _teach(model, tokenizer, probes: list[Probe]) -> None:
    """A pass over the questions with their answers; enough to answer some of them."""
    texts, optimizer = Texts(tokenizer), torch.optim.AdamW(model.parameters(), lr=1e-4)
    for start in range(0, len(probes), 20):
        for probe in probes[start : start + 20]:
            prompt, whole = texts.tokens(probe.prompt, probe.answers[0])
            labels = [-100] * len(prompt) + whole[len(prompt) :]
            model(input_ids=torch.tensor([whole]), labels=torch.tensor([labels])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def _without_drafts(ask):
    """Ask with the drafts withheld."""
    real = monitor.greedy_answers
    monitor.greedy_answers = lambda *rest, drafts, **named: real(*rest, **named)
    try:
        return ask()
    finally:
        monitor.greedy_answers = real


def _agree(found: dict[str, list]) -> None:
    check(found["drafts"] == found["token by token"], "drafts change which answers are right")


def measure(folder: Path) -> list[dict]:
    """Rows before and after some learning; nothing is written into `folder`."""
    base = embedded_model()
    model, tokenizer = checkpoints.load_model(base, "float32"), checkpoints.load_tokenizer(base)
    probes, rows = _probes(), []
    ask = partial(
        monitor.measure, model, tokenizer, probes, 1,
        end_token_ids=end_tokens(base, tokenizer), sampling=SAMPLING, match="squad",
    )  # fmt: skip
    for moment in ("before", "after"):
        if moment == "after":
            _teach(model.train(), tokenizer, probes)
        model.eval()
        variants = {
            "drafts": partial(cost_of, ask),
            "token by token": partial(cost_of, partial(_without_drafts, ask)),
        }
        name = f"asking {QUESTIONS} questions, {moment} they were learnt"
        rows += cost_rows(name, in_turn(variants, _agree), "drafts")
    return rows
