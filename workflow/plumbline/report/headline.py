"""The headline: closed-book EM of every checkpoint, ID and OOD, against the base it came from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from plumbline.names import parts
from plumbline.report import grand_sections as grand
from plumbline.report import grath_sections as grath
from plumbline.report import long_form_sections as long_form
from plumbline.report.blocks import (
    MARKS,
    VERDICTS,
    Cell,
    Table,
    checkpoint_cell,
    count,
    measured,
    percent,
)
from plumbline.report.tables import (
    DOMAINS,
    Tables,
    checkpoint_label,
    checkpoint_order,
    method_label,
    over_seeds,
)


@dataclass(frozen=True)
class Standing:
    """A checkpoint's EM (percent, with interval) in one domain and its difference to the base."""

    model: str
    domain: str
    checkpoint: str
    em: Cell
    difference: Cell | None
    n: int
    seeds: int


def standings(metrics: pd.DataFrame) -> list[Standing]:
    """One a model, domain and checkpoint, in reading order; empty without closed-book EM."""
    rows = metrics.query(
        "task == 'closed_book' and metric in ('em', 'em_vs_base') and category == 'All' "
        "and split == 'test'"
    )
    cells: dict[tuple, dict] = {}
    for row in over_seeds(rows, ["model", "domain", "checkpoint", "metric"]).itertuples():
        cells.setdefault((row.model, row.domain, row.checkpoint), {})[row.metric] = row
    models, domains = list(dict.fromkeys(rows.model)), list(DOMAINS)
    return [
        Standing(
            *key,
            em=measured(found["em"]),
            difference=measured(found["em_vs_base"]) if "em_vs_base" in found else None,
            n=int(found["em"].n),
            seeds=int(found["em"].seeds),
        )
        for key, found in sorted(
            ((key, found) for key, found in cells.items() if "em" in found and key[1] in domains),
            key=lambda item: (
                models.index(item[0][0]),
                domains.index(item[0][1]),
                checkpoint_order(item[0][2]),
            ),
        )
    ]


def sentences(metrics: pd.DataFrame, model: str) -> list[str]:
    """What was seen for a model, in a few sentences a domain. A difference counts as clear only
    when its 95 % interval leaves zero out and all seeds agree in sign.
    """
    lines = []
    for domain, label in DOMAINS.items():
        here = [s for s in standings(metrics) if (s.model, s.domain) == (model, domain)]
        if not here:
            continue
        words = [f"{label[0].upper()}{label[1:]}:"]
        for base in (s for s in here if s.checkpoint == "base"):
            words.append(
                f"the base answers {base.em.text} % of {count(base.n)} questions exactly right "
                f"({base.em.sub})."
            )
        compared: dict[str, list[Standing]] = {}
        for s in here:
            if s.difference:
                method = method_label(parts(s.checkpoint)[0])
                compared.setdefault(method, []).append(s)
        for method, group in compared.items():
            words.append(f"Of {len(group)} checkpoints of {method}: {_verdicts(group)}.")
        majority = metrics[
            (metrics.model == model)
            & (metrics.domain == domain)
            & (metrics.metric == "majority_em")
            & (metrics.category == "All")
        ].value
        if len(majority):
            words.append(
                f"Always giving a relation's commonest train answer would score "
                f"{percent(majority.mean())} %."
            )
        lines.append(" ".join(words))
    return lines


def _verdicts(compared: list[Standing]) -> str:
    """How many lie clearly below or above the base, with the largest difference of each kind."""
    parts = []
    for tone, verdict in VERDICTS.items():
        group = [s for s in compared if s.difference.tone == tone]
        text = f"{len(group) or 'none'} {verdict}"
        if group and tone != "even":
            most = max(group, key=lambda s: abs(s.difference.sort))
            text += f" (most: {checkpoint_label(most.checkpoint)}, {most.difference.text} points)"
        parts.append(text)
    return "; ".join(parts)


def table(metrics: pd.DataFrame, model: str) -> Table:
    """Checkpoints down; ID and OOD across: EM and the paired difference to the base."""
    here = [s for s in standings(metrics) if s.model == model]
    domains = [domain for domain in DOMAINS if any(s.domain == domain for s in here)]
    found = {(s.checkpoint, s.domain): s for s in here}
    rows = []
    for checkpoint in sorted({s.checkpoint for s in here}, key=checkpoint_order):
        cells = [checkpoint_cell(checkpoint)]
        for domain in domains:
            standing = found.get((checkpoint, domain))
            cells += [
                standing.em if standing else Cell("–"),
                standing.difference if standing and standing.difference else Cell("–"),
            ]
        rows.append(cells)
    sizes = {domain: max(s.n for s in here if s.domain == domain) for domain in domains}
    seeds = max(s.seeds for s in here)
    caption = (
        "Exact match in percent of the test questions, and its difference to the base in points; "
        "below each its 95 % interval. ▼ lower, ▲ higher than the base; ≈ no clear difference, "
        "the interval holds zero. All are asked alike, after the same worked examples; see Tasks "
        "for the forms that methods are tuned in."
    )
    return Table(
        caption + (f" Means of {seeds} seeds." if seeds > 1 else ""),
        ["checkpoint", *["EM %", "to base"] * len(domains)],
        rows,
        [("", 1), *[(f"{DOMAINS[domain]}, n = {count(sizes[domain])}", 2) for domain in domains]],
    )


def as_text(tables: Tables) -> str:
    """The headline for a terminal: aligned columns under 80 characters, one part a domain; then
    which checkpoints differ significantly, MC1 and MC2 by round of GRATH, and how factual long
    answers are, where there are any.
    """
    lines, part = [], None
    for s in standings(tables.metrics):
        if part != (s.model, s.domain):
            part = s.model, s.domain
            lines += ["", f"{s.model}, {DOMAINS[s.domain]}, n = {count(s.n)}"]
            lines.append(f"  {'checkpoint':<28} EM %  {'95 %':<12}{'to base':>9}  95 %")
        line = f"  {checkpoint_label(s.checkpoint):<28}{s.em.text:>5}  {s.em.sub:<12}"
        if s.difference:
            mark = MARKS.get(s.difference.tone, "")
            line += f"{mark:>2}{s.difference.text:>7}  {s.difference.sub}"
        lines.append(line.rstrip())
    lines = lines or ["", "No closed-book EM in the metrics."]
    lines += grand.as_lines(tables.comparisons)
    lines += grath.as_lines(tables.grath_rounds) + long_form.as_lines(tables.metrics)
    return (
        "\n".join([*lines[1:], "", "▼ lower, ▲ higher than the base, ≈ no clear difference"]) + "\n"
    )
