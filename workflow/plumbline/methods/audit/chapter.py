"""The report's section on an audit: facts that fell and rose, damaged relations, and examples."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from plumbline.evaluation.contrasts import CLOSED_BOOK
from plumbline.methods.audit.tables import DAMAGED, FELL, IMPROVED, ROSE
from plumbline.methods.audit.transitions import ALL
from plumbline.names import BASE
from plumbline.report.blocks import (
    Block,
    Cell,
    Prose,
    Table,
    checkpoint_cell,
    count,
    difference,
    named,
    number,
    p_cell,
    percent,
    signed,
)
from plumbline.report.labels import checkpoint_label
from plumbline.report.parts import Chapter, Page
from plumbline.report.tables import CATEGORIES, DOMAINS, Run, Tables

TITLE = "What tuning did to what the base knows"
EXAMPLES = 10  # shown a direction; tables/audit_facts.csv has all
DIRECTIONS = {FELL: "Forgotten", ROSE: "Learnt"}


def audited(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Every audited (model, checkpoint) with its rows, without the base's second probing."""
    tuned = table[table.checkpoint != BASE]
    for (model, checkpoint), part in tuned.groupby(["model", "checkpoint"], sort=False):
        yield model, checkpoint, part


def audit(run: Run) -> list[Block]:
    """First the noise, then for each model how much moved, its transitions, relations and examples."""
    tables = run.tables
    changes = tables.audit_relations
    if changes.empty:
        return []
    blocks: list[Block] = [Prose(_noise(changes))]
    for model, checkpoint, part in audited(changes):
        blocks += [
            Prose(
                [_moved(part), _learnt(tables, model, checkpoint), _relations(part)],
                checkpoint_label(checkpoint),
            ),
            _transitions(tables, model, checkpoint),
            *_examples(tables.audit_facts, model, checkpoint),
        ]
    return [*blocks, _by_relation(changes), *_by_category(tables)]


def _noise(changes: pd.DataFrame) -> list[str]:
    """What a second probing of the base shows about the categories, and what is tested instead."""
    lines = []
    for model, part in changes[(changes.checkpoint == BASE)].groupby("model", sort=False):
        whole = part[part.relation == ALL]
        lines.append(
            f"{named(changes, model, 'categories are noisy')}: when the base itself is probed again, "
            f"with other few-shot examples and other samples, {_share_moved(whole)} of its "
            f"{count(whole.n.sum())} facts change category ({count(whole.fell.sum())} to less "
            f"known, {count(whole.rose.sum())} to better known), though nothing was tuned."
        )
    return [
        *lines,
        "Each audited model was asked exactly what its base was asked. What is tested, paired fact by "
        "fact within each relation, is the share of few-shot sets after which the greedy answer is "
        "right; this involves no sampling. p values are corrected for all relations and audited "
        "models together (Holm). If the tuning data contains some of these facts, they are included.",
    ]


def _share_moved(whole: pd.DataFrame) -> str:
    return f"{percent((whole.fell.sum() + whole.rose.sum()) / whole.n.sum(), 0)} %"


def _moved(part: pd.DataFrame, beside: str = "") -> str:
    whole = part[part.relation == ALL]
    return (
        f"{_share_moved(whole)} of {count(whole.n.sum())} facts are in another category than to the "
        f"base{beside}: {count(whole.fell.sum())} fell, {count(whole.rose.sum())} rose."
    )


def _learnt(tables: Tables, model: str, checkpoint: str) -> str:
    """What became of the best known and of the unknown facts."""
    counts = _counts(tables, model, checkpoint)
    best, worst = CATEGORIES[0], CATEGORIES[-1]
    return (
        f"Of {count(counts.loc[best].sum())} {best} facts {count(counts.loc[best, worst])} are "
        f"{worst} now; of {count(counts.loc[worst].sum())} {worst} ones "
        f"{count(counts.loc[worst].sum() - counts.loc[worst, worst])} are known, "
        f"{count(counts.loc[worst, best])} of them {best}."
    )


def _relations(part: pd.DataFrame) -> str:
    """The relations with a verdict, by name."""
    texts = []
    for verdict in (DAMAGED, IMPROVED):
        found = part[part.verdict == verdict].sort_values("difference", key=abs, ascending=False)
        listed = ", ".join(
            f"{row.relation} ({signed(100 * row.difference)} points, {signed(100 * row.low)} to "
            f"{signed(100 * row.high)})"
            for row in found.itertuples()
        )
        texts.append(f"{verdict.capitalize()} relations: {listed or 'none found'}.")
    return " ".join(texts)


def _counts(tables: Tables, model: str, checkpoint: str) -> pd.DataFrame:
    """Facts by the base's category (down) and the category after tuning (across), over all domains."""
    rows = tables.audit_transitions
    rows = rows[(rows.model == model) & (rows.checkpoint == checkpoint) & (rows.relation == ALL)]
    wide = rows.groupby(["before", "after"]).n.sum().unstack()
    return wide.reindex(index=CATEGORIES, columns=CATEGORIES).fillna(0)


def _transitions(tables: Tables, model: str, checkpoint: str) -> Table:
    counts, again = _counts(tables, model, checkpoint), _counts(tables, model, BASE)
    rows = []
    for before in CATEGORIES:
        cells = [Cell(before)]
        for after in CATEGORIES:
            noise = again.loc[before].sum()
            sub = f"again {percent(again.loc[before, after] / noise, 0)} %" if noise else ""
            n, of = counts.loc[before, after], counts.loc[before].sum()
            text = f"{count(n)} ({percent(n / of, 0)} %)" if of else "0"
            cells.append(number(n, text, sub))
        rows.append([*cells, number(counts.loc[before].sum())])
    caption = (
        "Facts by their category to the base (down) and to the audited model (across), with the "
        "share of the row. Below: the share when the base itself is probed again."
    )
    return Table(caption, ["to the base", *CATEGORIES, "n"], rows)


def _examples(facts: pd.DataFrame, model: str, checkpoint: str) -> list[Table]:
    """The facts that moved furthest, a table per direction, relations taking turns."""
    tables = []
    here = facts[(facts.model == model) & (facts.checkpoint == checkpoint)]
    for direction, title in DIRECTIONS.items():
        moved = here[here.direction == direction]
        if moved.empty:
            continue
        turn = moved.groupby(["before", "after", "relation"], sort=False).cumcount()
        steps = moved.groupby(["before", "after"], sort=False).ngroup()
        shown = moved.assign(steps=steps, turn=turn).sort_values(["steps", "turn"], kind="stable")
        rows = [
            [
                Cell(row.relation),
                Cell(row.question, f"accepted: {row.answers}"),
                Cell(row.base_answer or "–", row.before),
                Cell(row.answer or "–", row.after),
            ]
            for row in shown.head(EXAMPLES).itertuples()
        ]
        caption = (
            f"{title}: {count(len(rows))} of {count(len(moved))} facts that {direction}, those that "
            f"moved furthest first; tables/audit_facts.csv has all."
        )
        tables.append(Table(caption, ["relation", "question", "the base", "now"], rows))
    return tables


def _by_relation(changes: pd.DataFrame) -> Table:
    again = changes[changes.checkpoint == BASE].set_index(["model", "domain", "relation"])
    rows = []
    for model, checkpoint, part in audited(changes):
        for row in part[part.relation != ALL].itertuples():
            noise = again.loc[model, row.domain, row.relation]
            other = f"again {signed(100 * noise.difference)}"
            rows.append(
                [
                    Cell(model),
                    checkpoint_cell(checkpoint),
                    Cell(row.relation, DOMAINS[row.domain]),
                    number(row.n),
                    number(row.fell, sub=f"again {count(noise.fell)}"),
                    number(row.rose, sub=f"again {count(noise.rose)}"),
                    number(row.before, f"{100 * row.before:.1f}"),
                    number(row.after, f"{100 * row.after:.1f}", other),
                    difference(row.difference, row.low, row.high),
                    p_cell(row.p_corrected),
                    Cell(row.verdict or "–", tone=_TONES.get(row.verdict, "")),
                    number(row.detectable, f"{100 * row.detectable:.1f}"),
                ]
            )
    caption = (
        "Every relation: facts that fell or rose by a category or more; right greedy answers in per "
        "cent, before and after, and their paired difference in points with its 95 % interval. "
        "Again: the same for the base probed a second time, where only the few-shot examples differ. "
        "Detectable: the smallest true difference that 80 of 100 such audits would have found."
    )
    heads = "model,checkpoint,relation,n,fell,rose,before %,after %,difference,p corrected,verdict"
    return Table(caption, [*heads.split(","), "detectable"], rows)


# Like those of contrasts, by which cells are highlighted.
_TONES = {DAMAGED: "lower", IMPROVED: "higher"}


def _by_category(tables: Tables) -> list[Table]:
    """Exact match of the closed-book evaluation by the base's category, with fresh examples."""
    metrics = tables.metrics
    metrics = metrics[(metrics.task == CLOSED_BOOK) & metrics.category.isin(CATEGORIES)]
    keys = ["model", "checkpoint", "domain", "category"]
    values = {
        metric: metrics[metrics.metric == metric].set_index(keys) for metric in ("em", "em_vs_base")
    }
    compared = values["em_vs_base"].index
    places = list(dict.fromkeys(key[:3] for key in compared))
    rows = []
    for key in sorted(compared, key=lambda key: (places.index(key[:3]), CATEGORIES.index(key[3]))):
        model, checkpoint, domain, category = key
        if checkpoint not in set(tables.audit_relations.checkpoint):
            continue
        own, versus = values["em"].loc[key], values["em_vs_base"].loc[key]
        base = values["em"].loc[model, BASE, domain, category]
        rows.append(
            [
                Cell(model),
                checkpoint_cell(checkpoint),
                Cell(DOMAINS[domain]),
                Cell(category),
                number(base.value, f"{100 * base.value:.1f}"),
                number(own.value, f"{100 * own.value:.1f}"),
                difference(versus.value, versus.low, versus.high),
                number(versus.n),
            ]
        )
    caption = (
        "Test questions by their category to the base, asked with few-shot examples that probing does "
        "not show, so that even the base is not right on all of HighlyKnown: exact match in per cent, "
        "and the paired difference in points with its 95 % interval (not corrected)."
    )
    heads = ["model", "checkpoint", "domain", "category", "base", "now", "difference", "n"]
    return [Table(caption, heads, rows, folded=True)] if rows else []


def opening(tables: Tables, model: str) -> list[str]:
    """Which relations moved, how many facts did with and without tuning, and where they are listed."""
    changes = tables.audit_relations
    changes = changes[changes.model == model]
    tuned = list(audited(changes))
    if not tuned:
        return []
    again = changes[(changes.checkpoint == BASE) & (changes.relation == ALL)]
    beside = f" ({_share_moved(again)} without any tuning)"
    return [
        *(
            f"{checkpoint_label(checkpoint)}: {_relations(part)} {_moved(part, beside)}"
            for _, checkpoint, part in tuned
        ),
        f"Without any tuning: when the base itself is probed a second time, with other few-shot "
        f"examples and other samples. The report, under “{TITLE}”, and tables/audit_facts.csv list the "
        f"facts that moved.",
    ]


TERMS = {
    "Audit": """
        A model that was tuned elsewhere is probed with exactly the requests of its base (SliCK).
        Its moves between categories are counted beside those of the base when that is probed a
        second time. A relation is called damaged or improved if the share of right greedy answers
        differs, with p corrected for all relations and audited models (Holm). This says what the
        model answers when asked in this form, not why. Ours; no paper has it.""",
}


def spoken(variant: str, rest: str) -> str:
    """By the name that its user gave it."""
    return f"the tuned model “{rest}”"


CHAPTER = Chapter(
    asks={
        "tuned elsewhere": "Does the tuned model answer as many questions right as its base?",
    },
    spoken=spoken,
    pages=[
        Page("audit", TITLE, audit, "audit_relations.csv"),
    ],
    terms=TERMS,
    opening=opening,
)
