"""What the stages that run no model cost as the number of questions grows: time and memory.

Each stage is its real program in a process of its own, as a rule starts it; what models would have
answered is made up. Of stages whose cost grows in proportion, tenfold questions add tenfold cost;
what importing costs is in every size and taken off.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from measuring import ROOT, embedded_model, row, run_program

SIZES = (1_000, 10_000, 100_000)
RELATIONS = {  # by name: domain and wording, as of the embedded facts, so that claims are recognised
    "country_capital": ("id", "What is the capital of {}?", "The capital of {} is {}."),
    "city_country": ("id", "In which country is {}?", "{} is a city in {}."),
    "film_director": ("ood", "Who directed {}?", "{} was directed by {}."),
}
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]
SLICK = {"exemplar_sets": 2, "shots": 4, "samples": 2, "max_tokens": 12}
MONITOR = {"train": None, "dev": 48, "test_id": 48, "test_ood": 24}
EVALUATION = '{"confidence": 0.95, "margin": 0.02, "resamples": 2000}'


def made_up_name(number: int) -> str:
    """A made-up name, another one for each number."""
    parts = []
    while number or len(parts) < 3:
        number, place = divmod(number, len(SYLLABLES))
        parts.append(SYLLABLES[place])
    return "".join(parts).capitalize()


def _write(path: Path, rows: Iterator[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(one) + "\n" for one in rows)


def _rows(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _facts(n: int) -> Iterator[dict]:
    kinds = list(RELATIONS.items())
    for number in range(n):
        relation, (domain, question, _) = kinds[number % len(kinds)]
        subject, answer = (
            made_up_name(number),
            made_up_name(10**6 + zlib.crc32(b"%d" % number) % (n // 4)),
        )
        about = {"relation": relation, "domain": domain, "subject": subject, "answers": [answer]}
        yield about | {"question": question.format(subject)}


def _right(name: str, seed: str) -> bool:
    """Of every question, one time in three."""
    return zlib.crc32(f"{seed}{name}".encode()) % 3 == 0


def _generation(request: dict, index: int, text: str) -> dict:
    about = {"request": request["id"], "purpose": request["purpose"], "index": index}
    return about | {"text": text, "token_ids": [1] * 4, "finish": "stop"}


class Stages:
    """The stages over `n` questions in a folder, each with its cost in processor seconds and MiB."""

    def __init__(self, folder: Path, n: int, checkpoint: Path):
        self.folder, self.n, self.checkpoint = folder, n, checkpoint
        self.costs: dict[str, tuple[float, float]] = {}

    def path(self, name: str) -> Path:
        made = self.folder / name
        made.parent.mkdir(parents=True, exist_ok=True)
        return made

    def run(self, program: str, called: str = "", module: Sequence = (), **options) -> None:
        """Run a program; options: a list gives several values, an object goes as JSON.

        called: the stage's name, where that is not the program's; module: what runs it, likewise.
        """
        stage = called or program
        words = [sys.executable, "-m", *(module or [f"scripts.{program}"])]
        for key, value in options.items():
            if isinstance(value, dict):
                value = json.dumps(value)
            words += ["--" + key.replace("_", "-")]
            words += value if isinstance(value, list) else [value]
        log = self.path(f"logs/{stage}.log")
        print(f"{self.n:,} questions: {stage} …", file=sys.stderr, flush=True)
        library = f"{ROOT / 'workflow'}:{ROOT / 'tests'}"
        cost, memory = run_program(words, log, PYTHONPATH=library)
        self.costs[stage] = cost.processor, memory

    def answer(self, requests: str, generations: str, seed: str) -> None:
        """Made-up answers to closed-book requests."""
        answers = {one["id"]: one["answers"][0] for one in _rows(self.path("questions.jsonl"))}

        def made() -> Iterator[dict]:
            for request in _rows(self.path(requests)):
                for index in range(request["sampling"]["n"]):
                    right = _right(f"{request['id']}{index}", seed)
                    text = f" {answers[request['question']]}" if right else " Nowhere"
                    yield _generation(request, index, text)

        _write(self.path(generations), made())

    def respond(self, requests: str, generations: str) -> None:
        """Made-up responses: what the facts say of a subject, and something wrong of it."""
        facts = {one["subject"]: one for one in _rows(self.path("questions.jsonl"))}
        others = {fact["relation"]: fact["answers"][0] for fact in facts.values()}
        prompts = {one["id"]: one["topic"] for one in _rows(self.path("prompts.jsonl"))}

        def made() -> Iterator[dict]:
            for request in _rows(self.path(requests)):
                fact = facts[prompts[request["instruction"]]]
                wording = RELATIONS[fact["relation"]][2]
                said = (fact["answers"][0], others[fact["relation"]])
                text = " ".join(wording.format(fact["subject"], name) for name in said)
                yield _generation(request, 0, f"{text} It is said to be old.")

        _write(self.path(generations), made())

    def fit(self, probes: str, fits: str, epochs: int = 6) -> None:
        """What a training might have got right before and after each epoch."""
        groups: dict[tuple, list[str]] = {}
        for probe in _rows(self.path(probes)):
            about = probe["part"], probe["domain"], probe["category"]
            groups.setdefault(about, []).append(probe["id"])

        def made() -> Iterator[dict]:
            for epoch in range(epochs):
                for (part, domain, category), names in groups.items():
                    right = [n for n in names if zlib.crc32(n.encode()) % epochs < epoch]
                    about = {"part": part, "domain": domain, "category": category}
                    yield about | {"epoch": epoch, "right": right, "n": len(names)}

        _write(self.path(fits), made())


def _questions(at: Stages) -> None:
    path = at.path
    _write(path("rows.jsonl"), _facts(at.n))
    at.run(
        "build_questions", source="rows", path=path("rows.jsonl"),
        questions=path("questions.jsonl"), counts=path("fact_counts.csv"),
    )  # fmt: skip
    at.run(
        "build_choices", choices={"format": "facts", "name": "facts"}, facts=path("questions.jsonl"),
        name="facts", out=path("choices.jsonl"), dropped=path("choices.json"),
    )  # fmt: skip


def _probing(at: Stages) -> None:
    path = at.path
    at.run(
        "prepare_probe", slick=SLICK, checkpoint=at.checkpoint,
        all_questions=path("questions.jsonl"), questions=path("m/slick/questions.jsonl"),
        test=path("m/slick/test.jsonl"), exemplars=path("m/slick/exemplars.jsonl"),
        requests=path("m/slick/requests.jsonl"), dropped=path("m/slick/dropped.json"),
    )  # fmt: skip
    at.answer("m/slick/requests.jsonl", "m/slick/generations.jsonl", "slick")
    at.run(
        "annotate", questions=path("m/slick/questions.jsonl"),
        requests=path("m/slick/requests.jsonl"), generations=path("m/slick/generations.jsonl"),
        match="squad", annotations=path("m/slick/annotations.jsonl"),
    )  # fmt: skip
    at.run("count_slick", annotations=path("m/slick/annotations.jsonl"), counts=path("slick.csv"))


def _mix(at: Stages) -> None:
    path, mix = at.path, "m/seed-1/mix.unknown-50"
    at.run(
        "build_mix", name="unknown-50", seed=1,
        mixes={"on_empty": "drop_relation", "monitor": MONITOR},
        demands={"most_unknown": 50, "least_unknown": 50, "form_facts": 32},
        questions=path("m/slick/questions.jsonl"), annotations=path("m/slick/annotations.jsonl"),
        examples=path(f"{mix}/examples.jsonl"), probes=path(f"{mix}/probes.jsonl"),
        composition=path(f"{mix}/composition.json"),
    )  # fmt: skip
    at.fit(f"{mix}/probes.jsonl", f"{mix}/fit.jsonl")
    path(f"{mix}/training.json").write_text(
        '{"stops": {"early_stop": {"epoch": 2}, "convergence": {"epoch": 5}}}'
    )
    tuning = {"model": "m", "seed": 1, "tuning": "mix.unknown-50", "folder": mix, "parent": "base"}
    path("mixes.json").write_text(json.dumps([tuning]))
    at.run(
        "tabulate_fits", root=at.folder, tunings=path("mixes.json"), evaluation=EVALUATION,
        curves=path("fit_curves.csv"), speed=path("fit_speed.csv"), line=path("line.csv"),
    )  # fmt: skip
    at.run(
        "measure_contamination", name="mix", training=path(f"{mix}/examples.jsonl"), ngram=13,
        evaluation=[f"facts={path('questions.jsonl')}", f"choices={path('choices.jsonl')}"],
        found=path("contamination.json"),
    )  # fmt: skip


def _evaluation(at: Stages) -> None:
    path, scored = at.path, []
    at.run(
        "write_closed_book", all_questions=path("questions.jsonl"),
        questions=path("m/slick/questions.jsonl"), labelling=path("m/slick/exemplars.jsonl"),
        slick={"shots": 4, "max_tokens": 12}, name="closed_book", forms=["few_shot+plain"],
        limit=0, exemplars=path("m/exemplars.jsonl"), requests=path("m/requests.jsonl"),
    )  # fmt: skip
    for checkpoint, parent in (("base", ""), ("tuned", "base")):
        own = f"m/{checkpoint}"
        at.answer("m/requests.jsonl", f"{own}/generations.jsonl", checkpoint)
        at.run(
            "judge_closed_book", questions=path("m/slick/questions.jsonl"),
            annotations=path("m/slick/annotations.jsonl"), requests=path("m/requests.jsonl"),
            generations=path(f"{own}/generations.jsonl"), match="squad", checkpoint=checkpoint,
            answers=path(f"{own}/answers.jsonl"),
        )  # fmt: skip
        about = {"model": "m", "seed": int(parent != ""), "checkpoint": checkpoint}
        scored.append(about | {"parent": parent, "folder": own, "scored": ["answers.jsonl"]})
    path("checkpoints.json").write_text(json.dumps(scored))
    path("none.json").write_text("[]")
    at.run(
        "tabulate_metrics", root=at.folder, checkpoints=path("checkpoints.json"),
        choices=path("none.json"), evaluation=EVALUATION, metrics=path("metrics.csv"),
    )  # fmt: skip
    at.run(
        "tabulate_comparisons", root=at.folder, checkpoints=path("checkpoints.json"),
        evaluation=EVALUATION, stated=path("none.json"), contrasts=path("contrasts.csv"),
        comparisons=path("comparisons.csv"), gains=path("gains.csv"),
    )  # fmt: skip


def _long_form(at: Stages) -> None:
    path = at.path
    path("sources.json").write_text('[{"format": "entities", "limit": null}]')
    at.run(
        "build_instructions", sources=path("sources.json"), facts=path("questions.jsonl"),
        entities_split="test", entities_domains="id", name="prompts", out=path("prompts.jsonl"),
        dropped=path("prompts.json"),
    )  # fmt: skip
    at.run(
        "write_responses", instructions=path("prompts.jsonl"), form="plain", samples=1,
        temperature=0, top_p=1, max_tokens=96, requests=path("m/long/requests.jsonl"),
    )  # fmt: skip
    at.respond("m/long/requests.jsonl", "m/long/generations.jsonl")
    at.run(
        "collect_responses", instructions=path("prompts.jsonl"),
        requests=path("m/long/requests.jsonl"), generations=path("m/long/generations.jsonl"),
        stage="long_form", name="base", responses=path("m/long/responses.jsonl"),
        dropped=path("m/long/dropped.json"),
    )  # fmt: skip
    at.run(
        "split_claims", responses=path("m/long/responses.jsonl"),
        claims=path("m/long/claims.jsonl"), splittings=path("m/long/splittings.jsonl"),
    )  # fmt: skip
    at.run(
        "verify_claims", verifier={"kind": "table"}, claims=path("m/long/claims.jsonl"),
        facts=path("questions.jsonl"), store=path("m/verdicts"),
        verdicts=path("m/long/verdicts.jsonl"),
    )  # fmt: skip
    at.run(
        "measure_long_form", instructions=path("prompts.jsonl"),
        responses=path("m/long/responses.jsonl"), splittings=path("m/long/splittings.jsonl"),
        claims=path("m/long/claims.jsonl"), verdicts=path("m/long/verdicts.jsonl"), gamma=10,
        k=[4, 32], items=path("m/long/items.jsonl"),
    )  # fmt: skip


PARTS: Sequence[Callable[[Stages], None]] = (_questions, _probing, _mix, _evaluation, _long_form)


def measure(
    folder: Path, sizes: Sequence[int] = SIZES, checkpoint: Path | None = None
) -> list[dict]:
    """Rows for every stage and size, and what tenfold questions add; once each, since nothing is
    compared but a stage with itself.

    checkpoint: whose tokenizer counts; None: the embedded experiment's.
    """
    costs = {}
    for n in sizes:
        stages = Stages(folder / str(n), n, checkpoint or embedded_model())
        for part in PARTS:
            part(stages)
        costs[n] = stages.costs
    rows = []
    for stage in costs[sizes[0]]:
        for n in sizes:
            seconds, memory = costs[n][stage]
            rows.append(row("growth", f"{stage}, {n:,} questions", seconds, "processor s"))
            rows.append(row("growth", f"{stage}, {n:,} questions", memory, "MiB at most"))
        for kind, unit in enumerate(("processor", "memory")):
            few, more, most = (costs[n][stage][kind] for n in sizes)
            if more - few > 0.05 * few:  # else all of it is the start
                linear = (sizes[2] - sizes[0]) / (sizes[1] - sizes[0])
                value = (most - few) / (more - few) / linear
                rows.append(row("growth", stage, value, f"{unit} growth (1: in proportion)"))
    return rows
