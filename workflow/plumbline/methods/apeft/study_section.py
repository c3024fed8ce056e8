"""The report's section on general preferences alone or mixed with atomic ones, loss by loss."""

from __future__ import annotations

import pandas as pd

from plumbline.report.blocks import Block, Cell, Prose, Table, bracketed, difference, named
from plumbline.report.tables import DOMAINS, Run

SPANS = {"id": "ID", "ood": "OOD", "both": "mean of both"}


def study(run: Run) -> list[Block]:
    """General preferences alone and mixed with atomic ones, under each loss (Yuan et al. 2024)."""
    table = run.tables.study
    if table.empty:
        return []
    keys = ["model", "method", "percent"]
    by_place = {
        (r.model, r.method, r.percent, r.loss, r.against, r.domain): r for r in table.itertuples()
    }
    lines, rows = [], []
    domains = [domain for domain in SPANS if (table.domain == domain).any()]
    againsts = [
        sibling for sibling in ("parent", "general-only") if (table.against == sibling).any()
    ]
    for (model, method, percent), part in table.groupby(keys, sort=False):
        losses = list(dict.fromkeys(part.loss))
        lines += _average(part, named(table, model, _studied(method, percent)), losses)
        for loss in losses:
            cells = [Cell(model), Cell(_studied(method, percent), sort=f"{method} {percent:07.3f}")]
            several = f"mean of {len(losses) - 1} losses"
            cells.append(Cell(several if loss == "average" else loss))
            for against in againsts:
                for domain in domains:
                    row = by_place.get((model, method, percent, loss, against, domain))
                    cells.append(difference(row.value, row.low, row.high) if row else Cell("–"))
            rows.append(cells)
    over = {"parent": "gain over the parent", "general-only": "gain over general preferences alone"}
    tasks = "; ".join(
        f"{domain.upper()}: {table[table.domain == domain].tasks.iloc[0].replace(' ', ', ')}"
        for domain in DOMAINS
        if domain in domains
    )
    caption = (
        f"Gains in points with 95 % intervals over the same items: the mean difference over the "
        f"tasks, equally weighted ({tasks}). The paper reports an average gain of 3.45 %; we do not "
        f"know whether that is in points, and on which tasks."
    )
    heads = ["model", "preferences", "loss", *[SPANS[d] for _ in againsts for d in domains]]
    groups = [("", 3), *[(over[against], len(domains)) for against in againsts]]
    return [Prose(lines), Table(caption, heads, rows, groups)]


def _studied(method: str, percent: float) -> str:
    """What a method was trained on, in words."""
    text = f"{percent:g} % atomic" if percent else "general only"
    kept = method.partition("-unknown-")[2]
    return f"{text}, {kept} % of Unknown kept" if kept else text


def _average(part: pd.DataFrame, which: str, losses: list[str]) -> list[str]:
    """The gain over both domains and all losses, in a sentence."""
    against = "general-only" if (part.against == "general-only").any() else "parent"
    loss = "average" if "average" in losses else losses[0]
    rows = part[(part.against == against) & (part.loss == loss) & (part.domain == "both")]
    over = {"parent": "the parent", "general-only": "general preferences alone"}[against]
    mean = f"mean of {len(losses) - 1} losses" if loss == "average" else f"under the loss {loss}"
    lines = []
    for r in rows.itertuples():
        cell = difference(r.value, r.low, r.high)
        lines.append(
            f"{which}: {cell.text} points over {over}{bracketed(cell.sub)}, mean of ID and OOD, {mean}."
        )
    return lines
