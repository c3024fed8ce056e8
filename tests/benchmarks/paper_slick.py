"""The paper's SliCK run without its models: what each stage costs at a hundredth and a tenth of it.

Gekhman et al. 2024 ask 114,298 questions with 10 sets of 4 exemplars, greedily and by 16 samples:
2.28 million requests, 19 million answers. All programs are the real ones, in processes of their own;
only what models would have answered is made up. What the whole takes is drawn on in a straight line.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from growth import EVALUATION, Stages, made_up_name
from measuring import embedded_model, row
from plumbline.data.entityquestions import PAPER_COUNTS, TEMPLATES

SHARES = (0.01, 0.1)
QUESTIONS = 114_298
SLICK = {"exemplar_sets": 10, "shots": 4, "samples": 16, "max_tokens": 32, "mode": "full"}
DEMANDS = {"most_unknown": 100, "least_unknown": 0, "form_facts": 0}
DEMANDS["categories"] = ["HighlyKnown", "MaybeKnown", "WeaklyKnown"]
MIXES = [
    *(f"unknown-{percent}" for percent in (0, 25, 50, 75, 100)),
    *(f"known-{percent}" for percent in (25, 50, 75)),
    *(f"only-{category}" for category in DEMANDS["categories"]),
    "natural",
    "idk-50",
]
STOPS = {"early_stop": {"epoch": 5}, "convergence": {"epoch": 50}}
EPOCHS = 51
# How often a run has a stage; all others once.
TIMES = {"build_mix": len(MIXES), "measure_contamination": len(MIXES)}
TIMES["generate closed_book"] = TIMES["judge_closed_book"] = 1 + 2 * len(MIXES)


def sizes(share: float) -> Iterator[tuple[str, str, int]]:
    """Relation, split and questions of the paper's, of which `share` is kept."""
    for relation in TEMPLATES:
        counts = PAPER_COUNTS.get(relation, {"test": 1})
        for split in ("train", "dev", "test"):
            # As many as test questions: these sizes the paper does not give.
            n = counts.get(split) or (counts["test"] if split == "dev" else 0)
            yield relation, split, max(16, round(share * n)) if n > 1 else n


def _dataset(folder: Path, share: float) -> None:
    number = 0
    for relation, split, n in sizes(share):
        rows = []
        for _ in range(n):
            number += 1
            question = TEMPLATES[relation].replace("[X]", made_up_name(number * 3557))
            rows.append({"question": question, "answers": [made_up_name(10**6 + number % 977)]})
        path = folder / split / f"{relation}.{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows), encoding="utf-8")


def _generate(at: Stages, works: dict, work: str, stage: str) -> None:
    path = at.path
    at.run(
        "generate", called=stage, module=["made_up_engine", path("facts/questions.jsonl")],
        root=path("m"), works=works, work=work, device="cpu", threads=2,
        settings={"engine": "transformers", "dtype": "float32", "max_model_len": 2048},
        generations=path(f"m/{work}/generations.jsonl"),
    )  # fmt: skip


def _probe(at: Stages) -> None:
    path = at.path
    at.run(
        "build_questions", source="entityquestions", path=path("entityquestions"),
        questions=path("facts/questions.jsonl"), counts=path("tables/fact_counts.csv"),
    )  # fmt: skip
    at.run(
        "prepare_probe", slick=SLICK, checkpoint=at.checkpoint,
        all_questions=path("facts/questions.jsonl"), questions=path("m/slick/questions.jsonl"),
        test=path("m/slick/test.jsonl"), exemplars=path("m/slick/exemplars.jsonl"),
        requests=path("m/slick/requests.jsonl"), dropped=path("m/slick/dropped.json"),
    )  # fmt: skip
    _generate(at, {"slick": ["base", "base/checkpoint.json", "slick/requests.jsonl"]}, "slick",
              "generate slick")  # fmt: skip
    at.run(
        "annotate", questions=path("m/slick/questions.jsonl"),
        requests=path("m/slick/requests.jsonl"), generations=path("m/slick/generations.jsonl"),
        match="squad", annotations=path("m/slick/annotations.jsonl"),
    )  # fmt: skip
    at.run(
        "count_slick", annotations=path("m/slick/annotations.jsonl"),
        counts=path("tables/slick_counts.csv"),
    )  # fmt: skip


def _mixes(at: Stages) -> None:
    path, mix = at.path, "m/seed-1/mix.unknown-50"
    at.run(
        "build_mix", name="unknown-50", seed=1, mixes={"on_empty": "drop_relation"}, demands=DEMANDS,
        questions=path("m/slick/questions.jsonl"), annotations=path("m/slick/annotations.jsonl"),
        examples=path(f"{mix}/examples.jsonl"), probes=path(f"{mix}/probes.jsonl"),
        composition=path(f"{mix}/composition.json"),
    )  # fmt: skip
    at.run(
        "measure_contamination", name="mix", training=path(f"{mix}/examples.jsonl"), ngram=13,
        evaluation=[f"closed_book={path('facts/questions.jsonl')}"],
        found=path(f"{mix}/contamination.json"),
    )  # fmt: skip
    at.fit(f"{mix}/probes.jsonl", f"{mix}/fit.jsonl", EPOCHS)
    path(f"{mix}/training.json").write_text(json.dumps({"stops": STOPS}))
    # What a training leaves lies there once; tables read it as often as there are trainings.
    tunings = [
        {"model": "m", "seed": 1, "tuning": f"mix.{name}", "folder": mix, "parent": "base"}
        for name in MIXES
    ]
    path("mixes.json").write_text(json.dumps(tunings))
    at.run(
        "tabulate_fits", root=at.folder, tunings=path("mixes.json"), evaluation=EVALUATION,
        curves=path("tables/fit_curves.csv"), speed=path("tables/fit_speed.csv"),
        line=path("tables/linear_model.csv"),
    )  # fmt: skip


def _evaluation(at: Stages) -> None:
    path, requests = at.path, "m/closed_book/few_shot+plain.jsonl"
    at.run(
        "write_closed_book", all_questions=path("facts/questions.jsonl"),
        questions=path("m/slick/test.jsonl"), labelling=path("m/slick/exemplars.jsonl"),
        slick={"shots": 4, "max_tokens": 32}, name="closed_book", forms=["few_shot+plain"],
        limit=0, exemplars=path("m/closed_book/exemplars.jsonl"), requests=path(requests),
    )  # fmt: skip
    work = "base/closed_book"
    works = {work: ["base", "base/checkpoint.json", "closed_book/few_shot+plain.jsonl"]}
    _generate(at, works, work, "generate closed_book")
    at.run(
        "judge_closed_book", questions=path("facts/questions.jsonl"),
        annotations=path("m/slick/annotations.jsonl"), requests=path(requests),
        generations=path(f"m/{work}/generations.jsonl"), match="squad", checkpoint="base",
        answers=path(f"m/{work}/answers.jsonl"),
    )  # fmt: skip
    names = ["base", *(f"mix.{name}.{stop}" for name in MIXES for stop in STOPS)]
    checkpoints = [
        {
            "model": "m", "seed": int(name != "base"), "checkpoint": name, "folder": "m/base",
            "parent": "base" if name != "base" else "", "scored": ["closed_book/answers.jsonl"],
        }
        for name in names
    ]  # fmt: skip
    path("checkpoints.json").write_text(json.dumps(checkpoints))
    path("none.json").write_text("[]")
    at.run(
        "tabulate_metrics", root=at.folder, checkpoints=path("checkpoints.json"),
        choices=path("none.json"), evaluation=EVALUATION, metrics=path("tables/metrics.csv"),
    )  # fmt: skip
    at.run(
        "tabulate_comparisons", root=at.folder, checkpoints=path("checkpoints.json"),
        evaluation=EVALUATION, stated=path("none.json"), contrasts=path("tables/contrasts.csv"),
        comparisons=path("tables/comparisons.csv"), gains=path("tables/gains.csv"),
    )  # fmt: skip
    at.run("draw_figures", tables=path("tables"), out=path("figures"))


PARTS = (_probe, _mixes, _evaluation)


def _drawn_on(shares: Sequence[float], values: Sequence[float]) -> float:
    """What the whole takes: in a straight line through the smallest and the largest share.

    One that falls is that of a stage which hardly does more than start.
    """
    slope = max(0.0, (values[-1] - values[0]) / (shares[-1] - shares[0]))
    return values[-1] + slope * (1 - shares[-1])


def measure(
    folder: Path, shares: Sequence[float] = SHARES, checkpoint: Path | None = None
) -> list[dict]:
    """Rows for every stage at each share of the paper's questions, and drawn on to all of them.

    checkpoint: whose tokenizer counts; None: the embedded experiment's.
    """
    checkpoint, costs = checkpoint or embedded_model(), []
    for share in shares:
        shutil.rmtree(folder / f"{share:g}", ignore_errors=True)  # an earlier run's answers
        at = Stages(folder / f"{share:g}", round(share * QUESTIONS), checkpoint)
        _dataset(at.path("entityquestions"), share)
        for file in filter(Path.is_file, checkpoint.resolve().iterdir()):
            at.path(f"m/base/{file.name}").symlink_to(file)
        for part in PARTS:
            part(at)
        costs.append(at.costs)
    rows, whole = [], 0.0
    for stage in costs[0]:
        seconds, memory = zip(*(found[stage] for found in costs), strict=True)
        for share, second, mib in zip(shares, seconds, memory, strict=True):
            rows.append(row("paper_slick", f"{stage}, {share:g} of it", second, "processor s"))
            rows.append(row("paper_slick", f"{stage}, {share:g} of it", mib, "MiB at most"))
        times, mib = TIMES.get(stage, 1), _drawn_on(shares, memory)
        every = _drawn_on(shares, seconds) * times
        name = f"{stage}, all of it, {times} times" if times > 1 else f"{stage}, all of it"
        rows.append(row("paper_slick", name, every, "processor s, drawn on"))
        rows.append(row("paper_slick", name, mib, "MiB at most, drawn on"))
        whole += every
    return [*rows, row("paper_slick", "all stages", whole, "processor s, drawn on")]
