"""The report on what the base knows and what tuning on Unknown does to it (Gekhman et al. 2024)."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from plumbline.methods.slick import figures
from plumbline.methods.slick.fit_speed import LATER
from plumbline.methods.slick.p_true_section import p_true
from plumbline.methods.slick.points import PAPER_LINEAR_MODEL, mix_points
from plumbline.names import FORM_SET, STOPS
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
from plumbline.report.parts import Chapter, Page
from plumbline.report.tables import CATEGORIES, DOMAINS, Run, Tables, over_seeds


def facts_by_category(counts: pd.DataFrame) -> pd.DataFrame:
    """Numbers of facts, all splits together: a row per (model, domain, relation), a column per
    category.
    """
    counts = counts[counts.category.isin(CATEGORIES) & counts.domain.isin(DOMAINS)]
    wide = counts.groupby(["model", "domain", "relation", "category"], sort=False).n.sum().unstack()
    return wide.reindex(columns=CATEGORIES).fillna(0)


def as_lines(counts: pd.DataFrame) -> list[str]:
    """The share of each category for a terminal, aligned and under 80 columns; none without facts."""
    lines = []
    for model, part in facts_by_category(counts).groupby(level="model", sort=False):
        lines += ["", f"{model}, what the base knows, % of the facts that it was asked"]
        lines.append("  domain" + "".join(f"{name:>14}" for name in [*CATEGORIES, "facts"]))
        for domain, numbers in part.groupby(level="domain"):  # ID first
            total = numbers.to_numpy().sum()
            shares = "".join(f"{percent(n / total, 0):>14}" for n in numbers.sum())
            lines.append(f"  {domain.upper():<6}{shares}{count(total):>14}")
    return lines


def base_knowledge(run: Run) -> list[Block]:
    counts = run.tables.slick_counts
    wide = facts_by_category(counts)
    if wide.empty:
        return []
    words = []
    for (model, domain), part in wide.groupby(level=["model", "domain"], sort=False):
        total = part.sum()
        shares = ", ".join(f"{percent(n / total.sum(), 0)} % {name}" for name, n in total.items())
        whose = named(counts, model, DOMAINS[domain])
        words.append(f"{whose}: {shares} of {count(total.sum())} facts.")
    lost = Counter()
    for row in run.tables.dropped.itertuples():
        lost[row.model] += row.n if row.stage == "slick" and row.reason.startswith("answer_") else 0
    words += [
        f"{count(n)} further facts were not asked of {model}: no answer to them can match (it is too "
        f"long, or has several lines; see Everything dropped)."
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
            whose = named(curves, model, "train questions answered right")
            words.append(f"{whose}: {'; '.join(clauses)} (means over mixes and seeds).")
    caption = "Share of the questions answered exactly right after each epoch, by mix."
    if run.tables.fit_curves.seed.nunique() > 1:
        caption += " Thick: mean over seeds; thin: single seeds."
    return [Prose(words), Picture("fit_curves", caption), *_speed(run.tables.fit_speed)]


def _speed(table: pd.DataFrame) -> list[Block]:
    """Epochs to half and to nearly all of each category, and how much later Unknown is fitted."""
    if table.empty:
        return []
    words = []
    for row in table[table.category == LATER].itertuples():
        whose = named(table, row.model, f"in {row.tuning}, {100 * row.share:.0f} % fitted")
        if pd.isna(row.value):
            mix = table[(table.model == row.model) & (table.tuning == row.tuning)]
            short = mix[(mix.share == row.share) & mix.value.isna()].category
            late_ones = " and ".join(group for group in ("Known", "Unknown") if group in set(short))
            fell = "never got there" if row.seeds == 1 else "did not get there with every seed"
            words.append(f"{whose}: no difference, since {late_ones} {fell}.")
            continue
        late = "later" if row.value >= 0 else "earlier"
        bounds = f" (95 % interval {row.low:+.1f} to {row.high:+.1f})" if pd.notna(row.low) else ""
        words.append(
            f"{whose}: Unknown {abs(row.value):.1f} epochs {late} than Known{bounds}"
            + ("." if bounds else ", too near to the last epoch for an interval.")
        )
    rows = []
    for row in table.itertuples():
        bounds = f"{row.low:.1f} to {row.high:.1f}" if pd.notna(row.low) else "no interval"
        value = Cell(f"{row.value:.1f}", bounds, row.value) if pd.notna(row.value) else Cell("–")
        cells = [Cell(row.model), Cell(row.tuning), Cell(row.category)]
        rows.append([*cells, number(row.share, f"{100 * row.share:.0f} %"), value, number(row.n)])
    caption = (
        "Epochs until that share of a category's train questions is answered right, within a mix, "
        "interpolated between epochs; 0 if it was so before training, – if it never was. The 95 % "
        "intervals are over the set's subjects and, with several seeds, over trainings."
    )
    columns = ["model", "mix", "category", "share", "epochs", "n"]
    return [
        Prose(words, "How much later Unknown is fitted"),
        Table(caption, columns, rows, folded=True),
    ]


def opening(tables: Tables, model: str) -> list[str]:
    """How much later Unknown is fitted in the set closest to half and half, and how far all are."""
    speed = tables.fit_speed.query("model == @model and share == 0.5", local_dict={"model": model})
    speed = speed[speed.tuning.str.startswith("mix.unknown-")].dropna(subset=["value"])
    later = speed[speed.category == LATER]
    if later.empty:
        return []
    percents = later.tuning.str.removeprefix("mix.unknown-").astype(float)
    nearest = (percents - 50).abs().idxmin()
    row = later.loc[nearest]
    part = speed[speed.tuning == row.tuning].set_index("category")
    bounds = f" (95 % interval {row.low:+.1f} to {row.high:+.1f})" if pd.notna(row.low) else ""
    curves = tables.fit_curves.query("part == 'train' and category == 'All'")
    ends = curves[(curves.model == model) & curves.stop.str.contains("convergence")]
    return [
        f"How fast new facts are learnt (exploratory): tuned on facts of which {percents[nearest]:g} % "
        f"are new ({row.tuning}), the model took {part.value['Known']:.1f} epochs to correctly answer "
        f"half of the {part.n['Known']:.0f} known facts asked about, and {part.value['Unknown']:.1f} "
        f"for half of the {part.n['Unknown']:.0f} new ones, a difference of {row.value:+.1f} "
        f"epochs{bounds}. At convergence the least fitted mix correctly answers "
        f"{percent(ends.value.min(), 0)} % of the facts asked about."
    ]


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
            clauses.append(
                f"{label} {percent(first.value)} % with {first.percent:.0f} % Unknown, "
                f"{percent(last.value)} % with {last.percent:.0f} %"
            )
        if clauses:
            words.append(f"{named(points, model, domain.upper())}: {'; '.join(clauses)}.")
    caption = (
        "Test accuracy (EM) of the mixes in the form they are tuned in, with 95 % intervals; dashed: "
        "the checkpoint they start from. What new facts do shows between the mixes."
    )
    if points.seed.nunique() > 1:
        caption += " Light points: single seeds."
    return [Prose(words), Picture("accuracy_by_unknown", caption)]


def linear_model(run: Run) -> list[Block]:
    fitted = run.tables.linear_model
    if fitted.empty:
        return []
    words, rows = [], []
    for (model, domain), part in fitted.groupby(["model", "domain"], sort=False):
        whose = named(fitted, model, domain.upper())
        lines = part.dropna(subset=["estimate"])
        if lines.empty:
            words.append(f"{whose}: no line, since {part.reason.iloc[0]}.")
            continue
        paper, clauses = PAPER_LINEAR_MODEL[domain], []
        for row in lines.itertuples():
            slope = row.term != "intercept"
            show = signed if slope else "{:.1f}".format
            bounds = f"{show(row.low)} to {show(row.high)}" if pd.notna(row.low) else "no interval"
            if slope:
                kind = row.term.removesuffix("_fitted").capitalize()
                clauses.append(f"{kind} {show(row.estimate)} points ({bounds})")
            rows.append(
                [
                    Cell(model),
                    Cell(domain.upper()),
                    Cell(row.term.replace("_", " ")),
                    Cell(show(row.estimate), bounds, row.estimate),
                    Cell(show(paper[row.term]), sort=paper[row.term]),
                    number(row.r2, f"{row.r2:.2f}"),
                    number(paper["r2"], f"{paper['r2']:.2f}"),
                    number(row.n),
                ]
            )
        first = lines.iloc[0]
        why = f"; no interval, since {first.reason}" if first.reason else ""
        out = (
            f"; {count(first.left_out)} points before the best epoch on dev are left out, in which "
            f"the form of the answers is learnt"
            if first.left_out
            else ""
        )
        words.append(f"{whose}, a tuning set fitted in full: {'; '.join(clauses)}{why}{out}.")
    if not rows:
        return [Prose(words)]
    caption = (
        "Accuracy = intercept + share Known fitted + share Unknown fitted, by least squares over "
        "the epochs of a seed's mixes (n points in all); mean over seeds, with an interval over seeds "
        "and test questions. “Paper”: Gekhman et al. 2024, Table 1, another model (PaLM 2) on other "
        "and far more data: a direction to compare, not a figure to match."
    )
    columns = ["model", "domain", "term", "this run", "paper", "R²", "paper's R²", "n"]
    picture = Picture("linear_model", "Accuracy points for a tuning set fitted in full.")
    return [Prose(words), picture, Table(caption, columns, rows)]


TERMS = {
    "SliCK": """
        Four categories of how well the base knows a fact (Gekhman et al. 2024, “Does Fine-Tuning
        LLMs on New Knowledge Encourage Hallucinations?”). The base is asked with several sets of
        few-shot examples. HighlyKnown: every greedy answer is right. MaybeKnown: some are.
        WeaklyKnown: none is, but a sampled answer is. Unknown: nothing is right. Known means any
        of the first three. In the evaluation, the base is asked with other few-shot examples, so
        its EM by category shows how far the categories depend on the examples.""",
    "Mix": """
        A tuning set. unknown-50 contains 50 % Unknown and 50 % Known facts, in every relation;
        all mixes of a run have the same size. “Form only” is what the mixes start from, if it is
        there: the base tuned on facts that it knows well and that no mix contains.""",
    "Early stop, convergence": """
        Two checkpoints of one tuning run: the epoch with the best dev accuracy, and the last.""",
    "Linear model": """
        Accuracy regressed on two shares of the tuning set, fitted Known and fitted Unknown
        examples, over the epochs of a seed's mixes, once for each seed. Epochs and mixes of one
        seed are not independent, so intervals are over seeds and test questions; with one seed
        there is no interval. If a mix was not fitted to 90 % at its end, there is no line.""",
    "Abstaining": """
        A mix such as idk-… is trained to say that it does not know. EM counts that as wrong;
        em_answered is EM over the questions that were answered, to be read together with answered,
        their share.""",
}


_MIXES = {
    "unknown": "facts of which {} % are new",
    "known": "the known facts of the mix with {} % new ones",
    "only": "{} facts only",
    "natural": "facts in their natural mix",
    "idk": "facts of which {} % are new and answered by “I don't know”",
}
_STOPS = {"convergence": "to convergence", "early_stop": "with early stopping"}


def spoken(variant: str, rest: str) -> str | None:
    """`unknown-100.convergence` as `the model tuned to convergence on new facts only`."""
    if rest == FORM_SET:
        return "the model tuned on the form of answers only"
    mix, _, stop = rest.rpartition(".")
    kind, _, which = mix.partition("-")
    if stop not in _STOPS or kind not in _MIXES:
        return None
    whole = {"unknown-0": "known facts only", "unknown-100": "new facts only"}
    return f"the model tuned {_STOPS[stop]} on {whole.get(mix) or _MIXES[kind].format(which)}"


CHAPTER = Chapter(
    asks={
        "new facts against none": (
            "Does tuning on facts that the model does not know cost it answers?"
        ),
    },
    spoken=spoken,
    pages=[
        Page("base", "What the base knows", base_knowledge, "slick_counts.csv"),
        Page("fitting", "How fast Known and Unknown are fitted", fitting, "fit_curves.csv", True),
        Page("unknown", "Accuracy against the share of Unknown", by_unknown, "metrics.csv", True),
        Page("linear", "The linear model", linear_model, "linear_model.csv", True),
        Page("p_true", "SliCK beside P(True)", p_true, "p_true.csv", True),
    ],
    drawings={
        "slick_categories": figures.slick_categories,
        "fit_curves": figures.fit_curves,
        "accuracy_by_unknown": figures.accuracy_by_unknown,
        "linear_model": figures.linear_model,
    },
    terms=TERMS,
    opening=opening,
    lines=lambda tables: as_lines(tables.slick_counts),
)
