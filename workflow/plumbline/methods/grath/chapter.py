"""The report's section on GRATH's rounds: MC1, MC2 and the pairs (Chen et al. 2024)."""

from __future__ import annotations

import pandas as pd

from plumbline.methods.grath import figures
from plumbline.methods.grath.face import ROUND
from plumbline.methods.grath.means import pair_means, score_means
from plumbline.names import PLACEBO
from plumbline.report.blocks import (
    Block,
    Cell,
    Picture,
    Prose,
    Score,
    Table,
    count,
    named,
    number,
    percent,
    scores,
    signed,
)
from plumbline.report.labels import checkpoint_label, variant_label
from plumbline.report.parts import Chapter, Page
from plumbline.report.tables import METRICS, Run, Tables

SHOWN = ("mc1", "mc2", "acc")
JUDGED = ("mc1", "mc2")
COUNTS = {
    "asked": "asked",
    "parsed": "with a pair",
    "unparsed": "without",
    "empty": "empty side",
    "identical": "identical sides",
}
TRAINED = {"pairs": "pairs", "kept_first": "kept first", "changed": "changed"}
MEANS = {  # label, digits
    "similarity": ("similarity", 2),
    "chosen_words": ("words, correct", 1),
    "rejected_words": ("words, incorrect", 1),
}
TRUTH = {"chosen_right": "correct", "rejected_right": "incorrect", "right_difference": "difference"}
NEGATED = {"chosen_negated": "correct", "rejected_negated": "incorrect"}


Task = tuple[str, str, str, str]  # model, variant, task, domain
Rounds = dict[int, dict[str, Score]]  # by round and metric


def by_task(rounds: pd.DataFrame) -> dict[Task, Rounds]:
    """Means over seeds, by model, variant, task and domain, in the table's order."""
    keys = ["model", "variant", "task", "domain", "round"]
    tasks: dict[Task, Rounds] = {}
    for (*key, number_), by_metric in scores(score_means(rounds), keys).items():
        tasks.setdefault(tuple(key), {})[int(number_)] = by_metric
    return tasks


def rounds(run: Run) -> list[Block]:
    table = run.tables.grath_rounds
    tasks = by_task(table)
    if not tasks:
        return []
    words = []
    for model, variant in dict.fromkeys(key[:2] for key in tasks):
        here = table[(table.model == model) & (table.variant == variant)]
        start = here[here["round"] == 0].checkpoint
        if len(start) and start.iloc[0] != "base":
            whose = named(table, model, *_named_variant(table, variant), "round 0")
            words.append(f"{whose} is {checkpoint_label(start.iloc[0])}.")
    seeds = table.seed.nunique()
    caption = "MC1 and MC2 by round, with 95 % intervals; dashed: the base."
    if seeds > 1:
        caption += " Light points: single seeds."
    return [
        Prose(words),
        Picture("grath_rounds", caption),
        _score_table(table, tasks),
        *_pair_blocks(table),
    ]


def _named_variant(table: pd.DataFrame, variant: str) -> list[str]:
    """The variant's label if there are several variants."""
    return [variant_label(variant)] if table.variant.nunique() > 1 else []


def _score_table(table: pd.DataFrame, tasks: dict[Task, Rounds]) -> Table:
    rows, seeds = [], table.seed.nunique()
    for (model, variant, task, domain), by_round in tasks.items():
        whose = Cell(model, *_named_variant(table, variant))
        for number_, by_metric in sorted(by_round.items()):
            n = max(score.n for score in by_metric.values())
            cells = [whose, Cell(task), Cell(domain.upper()), number(number_), number(n)]
            for metric in SHOWN:
                score = by_metric.get(metric)
                cells.append(score.value if score else Cell("–"))
                cells.append(score.difference if score and score.difference else Cell("–"))
            rows.append(cells)
    caption = (
        "Scores in percent by round (0: before the first) and their paired differences to the base in "
        "points; below each is its 95 % interval. All metrics of the checkpoints are under “In and out "
        "of the domain”."
    )
    if seeds > 1:
        caption += f" Means of {seeds} seeds."
    return Table(
        caption,
        ["model", "task", "domain", "round", "n", *["%", "to base"] * len(SHOWN)],
        rows,
        [("", 5), *[(METRICS[metric], 2) for metric in SHOWN]],
    )


def _pair_blocks(table: pd.DataFrame) -> list[Block]:
    by_variant: dict[tuple[tuple[str, str], int], dict] = {}
    for row in pair_means(table).itertuples():
        by_variant.setdefault(((row.model, row.variant), int(row.round)), {})[row.metric] = row
    if not by_variant:
        return []
    rows, clauses, overlaps, truths = [], {}, {}, {}
    for (whose, number_), here in by_variant.items():
        value = {name: row.value for name, row in here.items()}
        share = value["parsed"] / value["asked"]
        clauses.setdefault(whose, []).append(
            f"round {number_}, {count(value['parsed'])} of {count(value['asked'])} outputs "
            f"({percent(share, 0)} %) had a pair and {count(value['pairs'])} pairs were trained on"
        )
        overlaps.setdefault(whose, []).append(here["similarity"])
        truths.setdefault(whose, []).append(_truth(here, number_))
        means = [
            number(
                here[name].value, f"{here[name].value:.{digits}f}", _interval(here[name], digits)
            )
            for name, (_, digits) in MEANS.items()
        ]
        means += [
            number(here[name].value, percent(here[name].value), _interval(here[name], 1, 100))
            for name in (*TRUTH, *NEGATED)
        ]
        cells = [number(value[name]) for name in (*COUNTS, *TRAINED)]
        whose_cell = Cell(whose[0], *_named_variant(table, whose[1]))
        rows.append([whose_cell, number(number_), *cells, *means])
    words = []
    for (model, variant), parts in clauses.items():
        which = named(table, model, *_named_variant(table, variant), "pairs")
        words.append(f"{which}: {'; '.join(parts)}. {_similarity(overlaps[model, variant])}")
        which = named(table, model, *_named_variant(table, variant), "truth of the pairs")
        words.append(f"{which}: {'; '.join(truths[model, variant])}.")
    caption = (
        "What a round's pairs consist of. The round's parent is asked for a correct and an incorrect "
        "answer to every question. If its output contains no pair, round 0's correct answer is kept "
        "(kept first); changed: correct answers that differ from round 0's; incorrect answers are "
        "always round 0's. Similarity: the words the two answers share (F1, 0 to 1). Names a right "
        "option: the words of one of the question's right options, and of no wrong one; per cent of "
        "the pairs, and the paired difference in points. An answer may be right and name none, since "
        "the options are shown only with grath.use_ground_truth. Negated: answers with a word such as "
        "“not” or “never” (English), in per cent. Where incorrect answers are negated far more often, "
        "training teaches to avoid negations."
    )
    if table.seed.nunique() > 1:
        caption += f" Means of {table.seed.nunique()} seeds."
    columns = [
        "model",
        "round",
        *COUNTS.values(),
        *TRAINED.values(),
        *[m for m, _ in MEANS.values()],
        *TRUTH.values(),
        *NEGATED.values(),
    ]
    picture = Picture(
        "grath_similarity",
        "Similarity of a pair's correct and incorrect answer, mean of each round's pairs with its "
        "95 % interval. 0: no word in common; 1: the same words.",
    )
    spans = [("", 2), ("outputs", len(COUNTS)), ("pairs", len(TRAINED) + len(MEANS))]
    spans += [("names a right option", len(TRUTH)), ("negated", len(NEGATED))]
    return [Prose(words), picture, Table(caption, columns, rows, spans)]


def _similarity(overlaps: list) -> str:
    ends = [overlaps[0], *overlaps[1:][-1:]]
    parts = [f"{end.value:.2f} in round {end.round:.0f} ({_interval(end, 2)})" for end in ends]
    return f"Similarity of the two answers: {', '.join(parts)}."


def _truth(here: dict, round_: int) -> str:
    """How often the answers that a round's parent calls correct and incorrect are right."""
    right, wrong, difference = (here[name] for name in TRUTH)
    low, high = (signed(100 * bound) for bound in (difference.low, difference.high))
    interval = "too few for an interval" if pd.isna(difference.low) else f"{low} to {high}"
    return (
        f"in round {round_}, {percent(right.value)} % of the answers taken as correct name a right "
        f"option of their question and {percent(wrong.value)} % of those taken as incorrect "
        f"(difference {signed(100 * difference.value)} points, {interval})"
    )


def _interval(row, digits: int, scale: int = 1) -> str:
    if pd.isna(row.low):
        return ""
    low, high = (f"{scale * bound:.{digits}f}".replace("-", "−") for bound in (row.low, row.high))
    return f"{low} to {high}" if row.low < 0 else f"{low}–{high}"


WIDEST = 22  # of a task's name in a terminal


def as_lines(table: pd.DataFrame) -> list[str]:
    """MC1 and MC2 by round for a terminal, aligned and under 80 columns; none without rounds."""
    lines, part = [], None
    for (model, variant, task, domain), by_round in by_task(table).items():
        if part != (model, variant):
            part = model, variant
            lines += ["", f"{model}, {variant_label(variant)} by round"]
            lines.append(f"  {'task':<{WIDEST}} domain  round")
            lines[-1] += "".join(f"  {METRICS[m]:>5} %{'to base':>10}" for m in JUDGED)
        name = task if len(task) <= WIDEST else f"{task[: WIDEST - 1]}…"
        for number_, by_metric in sorted(by_round.items()):
            line = f"  {name:<{WIDEST}} {domain.upper():<6}{number_:>7}"
            for metric in JUDGED:
                score = by_metric.get(metric)
                line += f"  {score.value.text if score else '–':>7}"
                difference = score.difference if score else None
                line += f"{difference.text if difference else '':>10}"
            lines.append(line.rstrip())
    return lines


TERMS = {
    "GRATH": """
        Chen et al. 2024, “GRATH: Gradual Self-Truthifying for Large Language Models”. The model
        writes a correct and an incorrect answer to each question and is trained to prefer the
        first; in later rounds it writes new correct answers, while the incorrect ones stay the same.
        The demonstrations it is shown and the wording of the instruction are ours, not the paper's.
        Unless it is shown right answers (use_ground_truth), none is checked: it is tuned towards
        what it considers true. Round 0 is the model before training. The paper reports that
        TruthfulQA's MC1 rose from 30 to 55 % for a chat model of 7 billion parameters; other models
        may behave differently.""",
    "Similarity": """
        How similar the correct and the incorrect answer of a pair are: F1 of their words, from
        0 (no common words) to 1 (the same words). The paper finds that a greater distance helps.""",
}


def spoken(variant: str, rest: str) -> str | None:
    """`r2` as `the model after round 2 of GRATH`."""
    number_ = ROUND.fullmatch(rest)
    return f"the model after round {number_[1]} of {variant}" if number_ else None


def opening(tables: Tables, model: str) -> list[str]:
    """A note that no placebo was trained, if so."""
    of_grath = tables.contrasts[tables.contrasts.model == model].query("method == 'grath'")
    if of_grath.empty or of_grath.second.str.endswith(PLACEBO).any():
        return []
    return [
        "No placebo of GRATH was trained: this run cannot tell what its pairs add to any training on "
        "such answers."
    ]


CHAPTER = Chapter(
    opening=opening,
    asks={
        "all rounds": "Do rounds on pairs that the model writes itself make true answers likelier?",
    },
    spoken=spoken,
    pages=[
        Page("grath", "GRATH, round by round", rounds, "grath_rounds.csv", True),
    ],
    drawings={
        "grath_rounds": figures.grath_rounds,
        "grath_similarity": figures.grath_similarity,
    },
    terms=TERMS,
    lines=lambda tables: as_lines(tables.grath_rounds),
)
