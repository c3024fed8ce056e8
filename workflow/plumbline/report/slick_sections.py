"""What the base knows and what tuning on Unknown does to it, told (Gekhman et al. 2024)."""

from __future__ import annotations

from collections import Counter

from plumbline.report.blocks import (
    Block,
    Cell,
    Picture,
    Prose,
    Table,
    count,
    named,
    number,
    percent,
    signed,
)
from plumbline.report.tables import (
    CATEGORIES,
    DOMAINS,
    PAPER_LINEAR_MODEL,
    STOPS,
    Run,
    mix_points,
    over_seeds,
)


def base_knowledge(run: Run) -> list[Block]:
    counts = run.tables.slick_counts
    counts = counts[counts.category.isin(CATEGORIES) & counts.domain.isin(DOMAINS)]
    if counts.empty:
        return []
    wide = counts.groupby(["model", "domain", "relation", "category"], sort=False).n.sum().unstack()
    wide = wide.reindex(columns=CATEGORIES).fillna(0)
    words = []
    for (model, domain), part in wide.groupby(level=["model", "domain"], sort=False):
        total = part.sum()
        shares = ", ".join(f"{percent(n / total.sum(), 0)} % {name}" for name, n in total.items())
        about = named(counts, model, DOMAINS[domain])
        words.append(f"{about}: {shares} of {count(total.sum())} facts.")
    lost = Counter()
    for row in run.tables.dropped.itertuples():
        lost[row.model] += row.n if row.stage == "slick" and row.reason.startswith("answer_") else 0
    words += [
        f"{count(n)} further facts were not asked of {model}: no answer to them can match (it is too "
        f"long, or of several lines; see Everything dropped)."
        for model, n in lost.items()
        if n
    ]
    rows = [
        [Cell(model), Cell(domain.upper()), Cell(relation), *map(number, row), number(row.sum())]
        for (model, domain, relation), row in wide.iterrows()
    ]
    caption = "SliCK categories of each relation's facts, all splits together, best known first."
    columns = ["model", "domain", "relation", *CATEGORIES, "n"]
    return [
        Prose(words),
        Picture("slick_categories", caption),
        Table("Facts by relation and category.", columns, rows, folded=True),
    ]


def fitting(run: Run) -> list[Block]:
    curves = run.tables.fit_curves.query("part == 'train' and category in ('Known', 'Unknown')")
    if curves.empty:
        return []
    words = []
    for model, part in curves.groupby("model", sort=False):
        clauses = []
        for stop, label in STOPS.items():
            means = part[part.stop.str.contains(stop)].groupby("category").value.mean()
            if len(means):
                fitted = " and ".join(f"{percent(v, 0)} % of the {c}" for c, v in means.items())
                clauses.append(f"at {label} {fitted}")
        if clauses:
            about = named(curves, model, "train questions answered right")
            words.append(f"{about}: {'; '.join(clauses)} (means over mixes and seeds).")
    caption = "Share of the questions answered exactly right after each epoch, by mix."
    if run.tables.fit_curves.seed.nunique() > 1:
        caption += " Thick: mean over seeds; thin: single seeds."
    return [Prose(words), Picture("fit_curves", caption)]


def by_unknown(run: Run) -> list[Block]:
    points, words = mix_points(run.tables.metrics), []
    if points.empty:
        return []
    for (model, domain), part in points.groupby(["model", "domain"], sort=False):
        clauses = []
        for stop, label in STOPS.items():
            line = over_seeds(part[part.stop == stop], ["percent"]).sort_values("percent")
            if len(line) < 2:
                continue
            first, last = line.iloc[0], line.iloc[-1]
            apart = first.low > last.high or last.low > first.high
            clauses.append(
                f"{label} {percent(first.value)} % with {first.percent:.0f} % Unknown, "
                f"{percent(last.value)} % with {last.percent:.0f} % ("
                + ("intervals apart)" if apart else "intervals overlap)")
            )
        if clauses:
            words.append(f"{named(points, model, domain.upper())}: {'; '.join(clauses)}.")
    caption = "Test accuracy (EM) of the mixes, with 95 % intervals; dashed: the base."
    if points.seed.nunique() > 1:
        caption += " Light points: single seeds."
    return [Prose(words), Picture("accuracy_by_unknown", caption)]


def linear_model(run: Run) -> list[Block]:
    fitted = run.tables.linear_model
    words, rows = [], []
    for (model, domain), part in fitted.groupby(["model", "domain"], sort=False):
        paper, clauses = PAPER_LINEAR_MODEL[domain], []
        for row in part.itertuples():
            slope = row.term != "intercept"
            show = signed if slope else "{:.1f}".format
            interval = f"{show(row.low)} to {show(row.high)}"
            if slope:
                kind = row.term.removesuffix("_fitted").capitalize()
                clauses.append(f"{kind} {show(row.estimate)} points ({interval})")
            rows.append(
                [
                    Cell(model),
                    Cell(domain.upper()),
                    Cell(row.term.replace("_", " ")),
                    Cell(show(row.estimate), interval, row.estimate),
                    Cell(show(paper[row.term]), sort=paper[row.term]),
                    number(row.r2, f"{row.r2:.2f}"),
                    number(paper["r2"], f"{paper['r2']:.2f}"),
                    number(row.n),
                ]
            )
        about = named(fitted, model, domain.upper())
        words.append(f"{about}, a tuning set fitted in full: {'; '.join(clauses)}.")
    if not rows:
        return []
    caption = (
        "Accuracy = intercept + share Known fitted + share Unknown fitted, by least squares over "
        "all mixes and epochs (n points). “Paper”: Gekhman et al. 2024, Table 1, another model "
        "(PaLM 2) on other and far more data: a direction to compare, not a figure to match."
    )
    columns = ["model", "domain", "term", "this run", "paper", "R²", "paper's R²", "n"]
    picture = Picture("linear_model", "Accuracy points for a tuning set fitted in full.")
    return [Prose(words), picture, Table(caption, columns, rows)]
