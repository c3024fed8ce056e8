"""Closed-book EM of every checkpoint, form by form, beside the base asked in the same form."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from plumbline.report.blocks import (
    Block,
    Cell,
    Prose,
    Table,
    bracketed,
    capital,
    checkpoint_cell,
    count,
    measured,
    named,
    percent,
)
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import CLOSED_BOOK, DOMAINS, Run, closed_book_tasks, over_seeds


@dataclass(frozen=True)
class ClosedBookStanding:
    """A checkpoint's EM (percent, with interval) in one task and domain, and its difference to the base
    asked in the same form. A task is a set of questions, asked in one form.
    """

    model: str
    task: str
    questions: str
    form: str
    domain: str
    checkpoint: str
    em: Cell
    difference: Cell | None
    n: int
    seeds: int


def standings(metrics: pd.DataFrame) -> list[ClosedBookStanding]:
    """One per model, task, domain and checkpoint, in reading order."""
    tasks = closed_book_tasks(metrics)
    rows = metrics[
        metrics.task.isin(tasks)
        & metrics.metric.isin(["em", "em_vs_base"])
        & metrics.domain.isin(DOMAINS)
        & (metrics.category == "All")
        & (metrics.split == "test")
    ]
    keys = ["model", "task", "domain", "checkpoint"]
    cells: dict[tuple, dict] = {}
    for row in over_seeds(rows, [*keys, "metric"]).itertuples():
        cells.setdefault(tuple(getattr(row, key) for key in keys), {})[row.metric] = row
    models, places, domains = list(dict.fromkeys(rows.model)), list(tasks), list(DOMAINS)
    order = {
        key: (
            models.index(key[0]),
            places.index(key[1]),
            domains.index(key[2]),
            checkpoint_order(key[3]),
        )
        for key, metrics in cells.items()
        if "em" in metrics
    }
    return [
        ClosedBookStanding(
            *key[:2],
            *tasks[key[1]],
            *key[2:],
            em=measured(cells[key]["em"]),
            difference=measured(cells[key]["em_vs_base"]) if "em_vs_base" in cells[key] else None,
            n=int(cells[key]["em"].n),
            seeds=int(cells[key]["em"].seeds),
        )
        for key in sorted(order, key=order.get)
    ]


def closed_book(run: Run) -> list[Block]:
    """A table per model, set and form, all but a set's first one folded; above them, what the base
    knows and what guessing would reach.
    """
    metrics, scored = run.tables.metrics, standings(run.tables.metrics)
    blocks: list[Block] = []
    for model in dict.fromkeys(s.model for s in scored):
        of_model = [s for s in scored if s.model == model]
        for questions in dict.fromkeys(s.questions for s in of_model):
            here = [s for s in of_model if s.questions == questions]
            title = [] if questions == CLOSED_BOOK else [f"questions of {questions}"]
            blocks.append(Prose(_sentences(here, metrics), named(metrics, model, *title)))
            for place, form in enumerate(dict.fromkeys(s.form for s in here)):
                blocks.append(_table([s for s in here if s.form == form], folded=place > 0))
    return blocks


def _sentences(here: list[ClosedBookStanding], metrics: pd.DataFrame) -> list[str]:
    """For each domain, the base's EM in every form and what a relation's commonest answer
    would score.
    """
    lines = []
    of_train = "train " if here[0].questions == CLOSED_BOOK else ""
    for domain, label in DOMAINS.items():
        bases = [s for s in here if (s.domain, s.checkpoint) == (domain, "base")]
        if not bases:
            continue
        asked = "; ".join(f"{s.form} {s.em.text} %{bracketed(s.em.sub)}" for s in bases)
        line = (
            f"{capital(label)}, {count(bases[0].n)} questions, answered exactly right "
            f"by the base: {asked}."
        )
        majority = metrics[
            (metrics.model == bases[0].model)
            & (metrics.domain == domain)
            & metrics.task.isin([s.task for s in here])
            & (metrics.metric == "majority_em")
            & (metrics.category == "All")
        ].value
        if len(majority):
            line += (
                f" Always giving a relation's commonest {of_train}answer would score "
                f"{percent(majority.mean())} %."
            )
        lines.append(line)
    return lines


def _table(here: list[ClosedBookStanding], folded: bool) -> Table:
    """Checkpoints down; ID and OOD across: EM and the paired difference to the base."""
    domains = [domain for domain in DOMAINS if any(s.domain == domain for s in here)]
    by_place = {(s.checkpoint, s.domain): s for s in here}
    rows = []
    for checkpoint in sorted({s.checkpoint for s in here}, key=checkpoint_order):
        cells = [checkpoint_cell(checkpoint)]
        for domain in domains:
            standing = by_place.get((checkpoint, domain))
            cells += [
                standing.em if standing else Cell("–"),
                standing.difference if standing and standing.difference else Cell("–"),
            ]
        rows.append(cells)
    sizes = {domain: max(s.n for s in here if s.domain == domain) for domain in domains}
    seeds = max(s.seeds for s in here)
    questions, form = here[0].questions, here[0].form
    asked = "Asked" if questions == CLOSED_BOOK else f"{questions}, asked"
    caption = (
        f"{asked} {form}: exact match in percent of the test questions, and the difference in "
        f"points to the base asked alike; below each its 95 % interval."
    )
    return Table(
        caption + (f" Means of {seeds} seeds." if seeds > 1 else ""),
        ["checkpoint", *["EM %", "to base"] * len(domains)],
        rows,
        [("", 1), *[(f"{DOMAINS[domain]}, n = {count(sizes[domain])}", 2) for domain in domains]],
        folded,
    )


def as_lines(metrics: pd.DataFrame) -> list[str]:
    """EM by form for a terminal, aligned, with ID and OOD side by side; empty without such
    questions.
    """
    parts: dict[tuple[str, str, str], dict[str, dict[str, ClosedBookStanding]]] = {}
    for s in standings(metrics):
        part = parts.setdefault((s.model, s.questions, s.form), {})
        part.setdefault(s.checkpoint, {})[s.domain] = s
    lines = []
    for (model, questions, form), rows in parts.items():
        asked = "closed-book questions" if questions == CLOSED_BOOK else questions
        lines += ["", f"{model}, {asked} {form}, EM"]
        heads = "".join(f"{f'{domain.upper()} %':>8}  {'95 %':<12}" for domain in DOMAINS)
        lines.append(f"  {'checkpoint':<28}{heads}".rstrip())
        for checkpoint in sorted(rows, key=checkpoint_order):
            cells = [rows[checkpoint].get(domain) for domain in DOMAINS]
            texts = [f"{s.em.text if s else '–':>8}  {s.em.sub if s else '':<12}" for s in cells]
            lines.append(f"  {checkpoint_label(checkpoint):<28}{''.join(texts)}".rstrip())
    return lines
