"""The report's section on how many claims of long answers are right (Lin et al. 2024, FLAME)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from plumbline.report.blocks import (
    Block,
    Cell,
    Picture,
    Prose,
    Score,
    Table,
    capital,
    checkpoint_cell,
    count,
    measured,
    named,
    number,
    percent,
    scores,
)
from plumbline.report.claim_sections import sample, states, verifier
from plumbline.report.judge_sections import NONE, called, finding, judges, unusable
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import DOMAINS, LONG_FORM, WIN_RATE, Run, over_seeds, scale_of

MAIN = "f1"  # the task's main measure
# The columns for a domain.
SHOWN = {
    MAIN: "F1 %",
    "precision": "precision %",
    "supported": "supported",
    "refuted": "refuted",
    "claims": "claims",
    "coverage": "decided %",
    "words": "words",
    "responded": "respond %",
}


@dataclass(frozen=True)
class LongFormStanding:
    """A checkpoint's scores by domain and metric, and in comparisons, if it has any."""

    model: str
    checkpoint: str
    domains: dict[str, dict[str, Score]]
    compared: dict[str, Any]  # rows of `over_seeds`: win and consistent
    unjudged: bool = False  # the judge of wins failed its test

    @property
    def label(self) -> str:
        return checkpoint_label(self.checkpoint)

    def score(self, domain: str, metric: str) -> Score | None:
        return self.domains.get(domain, {}).get(metric)

    @property
    def win(self) -> Cell:
        """Win rate in percent with its interval."""
        if "win" in self.compared:
            return measured(self.compared["win"])
        return Cell(NONE if self.unjudged else "–")


def standings(metrics: pd.DataFrame, calibration: pd.DataFrame) -> list[LongFormStanding]:
    """One per model and checkpoint that wrote long answers, in reading order."""
    keys = ["model", "checkpoint", "domain"]
    rows = metrics[(metrics.category == "All") & metrics.domain.isin(DOMAINS)]
    long = over_seeds(rows[rows.task == LONG_FORM], [*keys, "metric"])
    by_place = scores(long, keys, lambda metric: scale_of(metrics, metric))
    # The instructions for comparisons are from one source and in one domain.
    comparisons = over_seeds(rows[rows.task == WIN_RATE], ["model", "checkpoint", "metric"])
    compared: dict[tuple[str, str], dict] = {}
    for row in comparisons.itertuples():
        compared.setdefault((row.model, row.checkpoint), {})[row.metric] = row
    by_checkpoint: dict[tuple[str, str], dict] = {}
    for (model, checkpoint, domain), by_metric in by_place.items():
        by_checkpoint.setdefault((model, checkpoint), {})[domain] = by_metric
    models = list(dict.fromkeys(model for model, _ in by_checkpoint))
    order = sorted(by_checkpoint, key=lambda k: (models.index(k[0]), checkpoint_order(k[1])))
    unjudged = {model for model in models if unusable(calibration, WIN_RATE, model)}
    return [
        LongFormStanding(*key, by_checkpoint[key], compared.get(key, {}), key[0] in unjudged)
        for key in order
    ]


def long_answers(run: Run) -> list[Block]:
    metrics = run.tables.metrics
    calibration = run.tables.judge_calibration
    scored = standings(metrics, calibration)
    if not scored:
        return []
    tuned = metrics[(metrics.task == LONG_FORM) & (metrics.checkpoint != "base")]
    blocks: list[Block] = []
    for model in dict.fromkeys(s.model for s in scored):
        here = [s for s in scored if s.model == model]
        lines = _sentences(here, run.manifest)
        lines += [
            f"There are no win rates: {finding(row)} of known quality, and 75 % are needed."
            for row in unusable(calibration, WIN_RATE, model)
        ]
        words = Prose(lines, named(metrics, model))
        blocks += [words, _table(here, tuned.seed.nunique())]
    caption = (
        "F1 of claims against the win rate (or the length, if there is none), with 95 % "
        "intervals. Dashed: the base's F1; dotted: as good as the checkpoint compared with."
    )
    more = [*verifier(run), *judges(run), *states(run), *sample(run)]
    return [*blocks, Picture("factuality", caption), *more]


def _sentences(here: Sequence[LongFormStanding], manifest: dict) -> list[str]:
    lines = []
    for base in (s for s in here if s.checkpoint == "base"):
        lines += [
            f"{capital(label)}: {_of_base(base.domains[domain])}"
            for domain, label in DOMAINS.items()
            if domain in base.domains
        ]
    return [*lines, *_win_rates(here, manifest)]


def _of_base(by_metric: dict[str, Score]) -> str:
    asked = count(by_metric["words"].n)
    if "coverage" not in by_metric:
        return f"the base's {asked} responses have no claims that could be read."
    text = (
        f"the base's {asked} responses have {by_metric['claims'].value.text} claims each, of which the "
        f"verifier decides {by_metric['coverage'].value.text} % on average."
    )
    if "precision" not in by_metric:
        return text + " None is decided."
    each = by_metric["precision"]
    return (
        f"{text} {count(_total(by_metric, 'supported'))} of {count(_total(by_metric, 'decided'))} "
        f"decided ones are supported; in the {count(each.n)} responses with decided ones, "
        f"{_percent(each)} of them. F1: {_percent(by_metric[MAIN])}."
    )


def _percent(score: Score) -> str:
    """In percent, with its interval if there is one."""
    return f"{score.value.text} %" + (f" ({score.value.sub})" if score.value.sub else "")


def _total(by_metric: dict[str, Score], metric: str) -> float:
    """The number of claims in all responses, from its mean over them."""
    return by_metric[metric].value.sort * by_metric[metric].n


def _win_rates(here: Sequence[LongFormStanding], manifest: dict) -> list[str]:
    compared = [s for s in here if s.compared]
    if not compared:
        return []
    settings = (manifest.get("config", {}).get("evaluation") or {}).get("long_form") or {}
    against, judge = (called(settings.get(key) or "") for key in ("baseline", "judge"))
    rates = ", ".join(
        f"{s.label} {s.win.text} % ({s.win.sub})" if s.win.sub else f"{s.label} {s.win.text}"
        for s in compared
    )
    text = (
        f"Win rates{against and f' against {against}'}{judge and f', judged by {judge}'}: {rates}"
    )
    text += ". Two that are equally good reach 50 %."
    same = [s.compared["consistent"].value for s in compared if "consistent" in s.compared]
    if same:
        text += (
            f" In {_range(same)} % of a checkpoint's comparisons both orders had the same winner."
        )
    return [text]


def _range(shares: Sequence[float]) -> str:
    low, high = percent(min(shares), 0), percent(max(shares), 0)
    return low if low == high else f"{low} to {high}"


def _table(here: Sequence[LongFormStanding], seeds: int) -> Table:
    domains = [domain for domain in DOMAINS if any(domain in s.domains for s in here)]
    compared = [s for s in here if s.compared]
    wins = bool(compared) or any(s.unjudged for s in here)
    rows = []
    for s in here:
        cells = [checkpoint_cell(s.checkpoint), *([s.win] if wins else [])]
        for domain in domains:
            decided = s.score(domain, "precision")
            cells.append(number(decided.n if decided else 0))
            for metric in SHOWN:
                cells += _cells(metric, s.score(domain, metric))
        rows.append(cells)
    heads = ["n", *SHOWN.values()]
    heads.insert(2, "to base")
    prompts = {d: max(s.domains[d]["words"].n for s in here if d in s.domains) for d in domains}
    groups = [("", 1)]
    if wins:
        judged = max((row.n for s in compared for row in s.compared.values()), default=0)
        groups.append((f"{count(judged)} comparisons", 1))
    groups += [(f"{DOMAINS[d]}, {count(prompts[d])} prompts", len(heads)) for d in domains]
    caption = (
        "F1: the harmonic mean of precision and of the share of K supported claims that a response "
        "has (K: the first of evaluation.long_form.k), so that stopping early does not raise it; 0 if "
        "nothing is supported. Precision: the supported share of the decided claims, mean over the n "
        "responses that have decided ones. Numbers of claims and words are means over all responses; "
        "decided: share of a response's claims; respond: responses that have claims. Below each is its "
        "95 % interval. The differences of all measures are under “In and out of the domain”."
    )
    if seeds > 1:
        caption += f" Means of {seeds} seeds."
    columns = ["checkpoint", *(["win %"] if wins else []), *heads * len(domains)]
    return Table(caption, columns, rows, groups)


def _cells(metric: str, score: Score | None) -> list[Cell]:
    """F1 with its difference to the base; other metrics alone."""
    if metric == MAIN:
        return [score.value, score.difference or Cell("–")] if score else [Cell("–")] * 2
    return [score.value if score else Cell("–")]


def as_lines(metrics: pd.DataFrame, calibration: pd.DataFrame) -> list[str]:
    """F1, supported and refuted claims and the win rate for a terminal, under 80 columns."""
    lines, part = [], None
    for s in standings(metrics, calibration):
        if part != s.model:
            part = s.model
            lines += ["", f"{s.model}, long answers: F1, supported/refuted claims (s/r), wins"]
            heads = "".join(f"{f'{domain.upper()} %':>8}  {'s/r':>9}" for domain in DOMAINS)
            lines.append(f"  {'checkpoint':<28}{heads}{'win %':>9}")
        line = f"  {s.label:<28}"
        for domain in DOMAINS:
            factual, *parts = (s.score(domain, m) for m in (MAIN, "supported", "refuted"))
            numbers = "/".join(p.value.text if p else "–" for p in parts) if factual else "–"
            line += f"{factual.value.text if factual else '–':>8}  {numbers:>9}"
        won = "none" if s.win.text == NONE else s.win.text
        lines.append(f"{line}{won:>9}")
    return lines
