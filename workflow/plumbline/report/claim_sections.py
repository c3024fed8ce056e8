"""How far the verdicts on claims can be trusted, what became of all claims, and claims to read."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from plumbline.report.blocks import (
    VERDICT_MARKS,
    Answers,
    Block,
    Cell,
    Prose,
    ShownAnswer,
    Table,
    count,
    measured,
    number,
    percent,
)
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.responses import ShownResponse
from plumbline.report.tables import Run

MEASURES = ("accuracy", "precision", "recall", "coverage")
TEMPLATES, MODELS, HELD_OUT = "templates", "models", "held out"
NOT_SPLIT = {
    "empty": "the response is empty",
    "unfinished_thought": "it breaks off within a thought",
    "refused": "it refuses",
    "unparsable": "its claims could not be read",
    "no_claims": "it makes no claims",
    "cut_off": "its only sentence is cut off",
}


def verifier(run: Run) -> list[Block]:
    """How the verifier did in its test, and the share of the responses' claims that it decides."""
    table = run.tables.verifier
    lines = [*_on_models(table[table.claims == MODELS]), *_decided(run.tables.claim_states)]
    templates = table[table.claims == TEMPLATES]
    by_metric = {row.metric: row for row in templates[templates.relation == "All"].itertuples()}
    if "coverage" not in by_metric:
        untested = [] if len(table) else ["It was not tested: verifier.csv has no rows."]
        return [Prose([*untested, *lines], "The verifier")]
    parts = [
        text.format(_percent(by_metric[metric]))
        for metric, text in {
            "coverage": "decides {}",
            "accuracy": "is right in {} of what it decides",
        }.items()
        if metric in by_metric
    ]
    lines.append(
        f"On {count(by_metric['coverage'].n)} claims that this project made from the facts by its own "
        f"templates, half of them false, it {' and '.join(parts)}; that only shows that it reads "
        "its own wordings."
    )
    rows = []
    for relation, part in templates.groupby("relation", sort=False):
        here = {row.metric: row for row in part.itertuples()}
        cells = [measured(here[m]) if m in here else Cell("–") for m in MEASURES]
        n = number(here["coverage"].n) if "coverage" in here else Cell("–")
        rows.append([Cell(relation.replace("_", " ")), n, *cells])
    caption = (
        "The verifier on claims made by templates, by relation, in percent with 95 % intervals. "
        "Coverage: claims it decides; accuracy: decisions that are right; precision: claims called "
        "supported that are true; recall: true claims called supported."
    )
    heads = ["relation", "claims", *MEASURES]
    return [Prose(lines, "The verifier"), Table(caption, heads, rows, folded=True)]


def _on_models(table: pd.DataFrame) -> list[str]:
    """How often its decisions on claims that models wrote are right."""
    by_part = {(row.relation, row.metric): row for row in table.itertuples()}
    if not by_part:
        return []
    sentences = []
    for part, opening in (
        ("All", "On {} claims that small models wrote and that were labelled by reading them, "),
        (HELD_OUT, "On the {} of these to which no rule was adjusted, "),
    ):
        kinds = {
            "precision": "called supported {} is true",
            "refuted_precision": "called refuted {} is false in whole or in part",
        }
        said = [
            f"of the {count(row.n)} {text.format(_percent(row))}"
            for metric, text in kinds.items()
            if (row := by_part.get((part, metric))) is not None
        ]
        if (part, "coverage") in by_part:
            coverage = by_part[part, "coverage"]
            decided = f"it decides {percent(coverage.value)} %"
            sentences.append(f"{opening.format(count(coverage.n))}{'; '.join([decided, *said])}.")
    return [" ".join(sentences)]


def _percent(row) -> str:
    return f"{percent(row.value)} % ({percent(row.low)}–{percent(row.high)})"


def _decided(states: pd.DataFrame) -> list[str]:
    """The share of the claims in responses that is decided."""
    verdicts = states[states.item == "verdicts"]
    total = verdicts.n.sum()
    if not total:
        return []
    undecided = verdicts[verdicts.state.str.startswith("unverifiable")].n.sum()
    return [
        f"Of the {count(total)} claims in this run's responses it decides "
        f"{percent((total - undecided) / total)} %; the others stay undecided."
    ]


def states(run: Run) -> list[Block]:
    table = run.tables.claim_states
    if table.empty:
        return []
    models = list(dict.fromkeys(table.model))
    ordered = sorted(
        table.itertuples(),
        key=lambda r: (models.index(r.model), checkpoint_order(r.checkpoint), r.seed),
    )
    rows = [
        [
            Cell(row.model),
            Cell(checkpoint_label(row.checkpoint), sort=row.checkpoint),
            number(row.seed),
            Cell(row.item),
            Cell(row.state),
            number(row.n),
        ]
        for row in ordered
    ]
    caption = "Instructions, responses, claims, ratings and pairs by state: how many of each."
    heads = ["model", "checkpoint", "seed", "item", "state", "n"]
    return [Table(caption, heads, rows, folded=True)]


def sample(run: Run) -> list[Block]:
    """Every checkpoint's responses to the instructions that were drawn for display."""
    if not run.responses:
        return []
    several = len({response.model for response in run.responses}) > 1
    seeds: dict[tuple[str, str], set[int]] = {}
    groups: dict[tuple[str, str], list[ShownResponse]] = {}
    for response in run.responses:
        seeds.setdefault((response.model, response.checkpoint), set()).add(response.seed)
        groups.setdefault((response.model, response.instruction), []).append(response)
    marks = ", ".join(f"{mark} {verdict}" for verdict, mark in VERDICT_MARKS.items())
    intro = (
        f"Drawn at random, the same for all checkpoints; below a response are the claims taken from "
        f"it ({marks}: nothing was found to decide by) and what the verdict rests on."
    )
    blocks: list[Block] = [Prose([intro], "Responses and their claims")]
    for (model, _), group in groups.items():
        answers = []
        for shown in sorted(group, key=lambda r: (checkpoint_order(r.checkpoint), r.seed)):
            label = checkpoint_label(shown.checkpoint)
            if len(seeds[model, shown.checkpoint]) > 1:
                label += f", seed {shown.seed}"
            answers.append(ShownAnswer(label, _note(shown), shown.text, shown.claims))
        prompt = group[0].prompt
        blocks.append(Answers(f"{model}: {prompt}" if several else prompt, answers))
    return blocks


def _note(response: ShownResponse) -> str:
    """How many claims have which verdict, or why there are none."""
    if not response.claims:
        return NOT_SPLIT.get(response.state, "no claims")
    counts = Counter(claim.verdict for claim in response.claims)
    return " ".join(f"{counts[verdict]} {mark}" for verdict, mark in VERDICT_MARKS.items())
