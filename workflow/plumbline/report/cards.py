"""Cards for model hubs: of a checkpoint, and of the file that it was trained on.

They say what it is and how it was measured, according to the run's own files, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from plumbline.models.publishing import hub_base
from plumbline.models.rounding import ENOUGH
from plumbline.names import parts
from plumbline.report.labels import checkpoint_label, method_label
from plumbline.training.sets import Composition

EVALUATED = ("task", "domain", "measure", "tuned", "base", "difference", "interval", "n")


def checkpoint_card(
    name: str,
    folder: Path,
    *,
    base: Mapping[str, Any],
    marker: Mapping[str, Any],
    training: Mapping[str, Any],
    composition: Composition,
    data: str,
    rows: Sequence[Mapping[str, str]],
    confidence: float,
) -> str:
    """The card of a checkpoint.

    name: the checkpoint's. base, marker: checkpoint.json of its base model and its own; `folder` is
    where the latter is. training: its training.json. composition, data: of its training file, whose
    name is `data`. rows: of comparisons.csv, against the base.
    """
    on_hub, recipe = hub_base(folder), training["recipe"]
    adapter = on_hub is not None and marker["kind"] == "adapter"
    head: dict[str, Any] = {
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["plumbline", parts(name)[0], recipe["method"], "trl"],
    }
    if on_hub is not None:
        head |= {"base_model": on_hub[0]}
    trained = "an adapter" if marker["kind"] == "adapter" else "all weights"
    return _page(
        head,
        f"{name} of {base['name']}",
        f"{checkpoint_label(name)}: {base['name']} tuned with plumbline.",
        {
            "Base": [
                f"- `{base['source']}`, stored in {base['dtype']}, weights "
                f"`{base['weights_sha256'][:16]}…`",
                f"- trained from: `{_parent(marker, base)}`",
            ],
            "Data": [
                f"{training['examples']:,} rows of `{data}`. {_made_of(composition)}",
                *_dropped({**training["dropped"]}),
            ],
            "Recipe": [
                f"{trained.capitalize()}, {training['steps']:,} steps, seed {training['seed']}; this "
                f"checkpoint is of epoch {marker['epoch']:g}.",
                "",
                *_block("yaml", yaml.safe_dump(recipe, sort_keys=True)),
            ],
            "Evaluation": _evaluation(rows, confidence),
            "Limits": _limits(marker, rows),
        },
    )


def data_card(
    name: str, file: str, *, model: str, method: str, composition: Composition, pairs: bool
) -> str:
    """The card of a training file: what its rows are, what it consists of, what was left out."""
    columns = "prompt, chosen, rejected" if pairs else "prompt, completion"
    kind = "preference" if pairs else "prompt-completion"
    return _page(
        {
            "configs": [{"config_name": "default", "data_files": file}],
            "tags": ["plumbline", method, "trl"],
        },
        f"{name}: what {model} was tuned on",
        f"A training file of plumbline ({method_label(method)}), in TRL's {kind} format.",
        {
            "Base": [f"Made for `{model}`: its answers, or what it knows, determine the rows."],
            "Data": [
                f"{composition.rows:,} rows of `{columns}`; other columns say where a row is from. "
                f"{_made_of(composition)}",
                *_dropped({row["reason"]: row["n"] for row in composition.dropped}),
            ],
            "Limits": [
                "- Texts that a model wrote may state falsehoods, even if they are the preferred ones.",
                "- No row states a fact of the test questions, as far as a comparison of words shows; "
                "other benchmarks were compared only if the run evaluates them.",
                "- The licences of the base model and of the facts' sources apply.",
            ],
        },
    )


def _page(
    head: Mapping[str, Any], title: str, lead: str, sections: Mapping[str, Iterable[str]]
) -> str:
    lines = ["---", yaml.safe_dump(dict(head), sort_keys=True).rstrip(), "---", ""]
    lines += [f"# {title}", "", lead]
    for heading, body in sections.items():
        lines += ["", f"## {heading}", "", *body]
    return "\n".join(lines) + "\n"


def _parent(marker: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """The base's name, or the folder of another parent, below the model's folder."""
    if marker["parent_weights_sha256"] == base["weights_sha256"]:
        return base["name"]
    return marker["parent"].replace("../", "")


def _made_of(composition: Composition) -> str:
    counted = ", ".join(f"{n:,} {part}" for part, n in composition.parts.items() if n)
    return f"Different rows by what they are of: {counted}." if counted else ""


def _dropped(reasons: Mapping[str, int]) -> list[str]:
    left = [f"{reason.replace('_', ' ')} {n:,}" for reason, n in reasons.items() if n]
    return ["", f"Left out: {', '.join(left)}."] if left else []


def _block(language: str, text: str) -> list[str]:
    return [f"```{language}", text.rstrip(), "```"]


def _evaluation(rows: Sequence[Mapping[str, str]], confidence: float) -> list[str]:
    if not rows:
        return ["Not evaluated."]
    table = [_line(EVALUATED), _line(["---"] * len(EVALUATED))]
    for row in rows:
        interval = "–"
        if row["low"] and row["high"]:
            interval = f"{float(row['low']):+.3f} to {float(row['high']):+.3f}"
        shown = [float(row[key]) for key in ("value", "other_value")]
        cells = [row["task"], row["domain"], row["metric"], *(f"{value:.3f}" for value in shown)]
        cells += [f"{float(row['difference']):+.3f}", interval, row["n"]]
        table.append(_line(cells))
    seeds = max(int(row["seeds"]) for row in rows)
    return [
        (f"Means over {seeds} trainings, of which this checkpoint is one" if seeds > 1 else "Means")
        + f", with {confidence:.0%} intervals of the difference. They are exploratory: not corrected "
        "for their number. `id`: in the tuning domain, `ood`: outside it.",
        "",
        *table,
    ]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _limits(marker: Mapping[str, Any], rows: Sequence[Mapping[str, str]]) -> list[str]:
    limits = ["- Whatever is not in the table was not measured, including safety."]
    if rows and all(int(row["seeds"]) == 1 for row in rows):
        limits.append(
            "- One seed was trained: the intervals do not include the spread between trainings."
        )
    coarse = [
        dtype for dtype, cosine in marker.get("rounding_cosine", {}).items() if cosine < ENOUGH
    ]
    if coarse:
        limits.append(
            f"- Load it in float32: {' and '.join(coarse)} would round too much of the training "
            f"away (cosine below {ENOUGH})."
        )
    limits.append("- It states falsehoods as fluently as facts. The base model's licence applies.")
    return limits
