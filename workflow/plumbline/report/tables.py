"""The tables that a report is made from: reading, checking, and means over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path

import pandas as pd

from plumbline.config.closed_book import ENDINGS
from plumbline.evaluation.answer_sheets import AnswerSheets
from plumbline.evaluation.exact_answers import TASKS as CLOSED_BOOK_TASKS
from plumbline.records import Category
from plumbline.report.names import TABLES
from plumbline.report.responses import ShownResponse
from plumbline.storage.files import InputError
from plumbline.tables import number_columns, text_columns

CATEGORIES = [str(category) for category in Category]
DOMAINS = {"id": "in domain (ID)", "ood": "out of domain (OOD)"}
# Tasks.
CLOSED_BOOK, LONG_FORM, WIN_RATE = "closed_book", "long_form", "win_rate"
# How closed-book questions are asked.
ASKED = {
    "few_shot": "with few-shot examples",
    "plain": "with an instruction only",
    "chat": "as a user's turn",
}
# The same by task, for the questions about the facts.
FORMS = {CLOSED_BOOK_TASKS[form]: words for form, words in ASKED.items()}
TASKS = {task: f"closed-book questions asked {form}" for task, form in FORMS.items()}
TASKS |= {LONG_FORM: "long answers", WIN_RATE: "responses beside another's"}
METRICS = {
    "em": "EM",
    "mc1": "MC1",
    "mc2": "MC2",
    "mc3": "MC3",
    "acc": "accuracy",
    "f1": "F1",
    "precision": "precision",
    "coverage": "claims decided",
    "factscore": "FActScore",
    "factscore_penalised": "FActScore with length penalty",
    "responded": "respond ratio",
    "win": "win rate",
}
# Words for measures and domains in sentences that stand alone, if the usual ones are technical.
SPOKEN_METRICS = {
    "em": "right answers (EM)",
    "mc1": "questions whose true answer is likeliest (MC1)",
    "mc2": "probability of the true among the offered answers (MC2)",
    "acc": "right answers (accuracy)",
    "f1": "right claims (F1)",
    "precision": "decided claims that are right (precision)",
    "win": "responses that the judge prefers (win rate)",
}
SPOKEN_DOMAINS = {
    "id": "in the tuning domain (ID)",
    "ood": "out of the tuning domain (OOD)",
}
DIFFERENCES = ("_vs_base", "_vs_parent")  # endings of metrics that are paired differences
GUESSED = ("chance_", "prior_")  # beginnings of metrics that belong to a task, not to a checkpoint
COUNTED = (
    "claims",
    "decided",
    "supported",
    "refuted",
    "unverifiable",
    "words",
)  # numbers, even those below 1
# Metrics that come first, depending on how a task is measured.
LEADING = [("em",), ("mc1", "mc2"), ("acc", "mc2", "acc_norm"), ("f1",), ("win",)]
# A data frame for each CSV file of a run's `tables/` folder; an absent file is an empty frame.
Tables = make_dataclass("Tables", [(name, pd.DataFrame) for name in TABLES], frozen=True)


@dataclass(frozen=True)
class Run:
    """Everything that a section may use."""

    tables: Tables
    plan: dict
    manifest: dict
    responses: Sequence[ShownResponse] = ()
    answers: AnswerSheets | None = None
    files: Mapping[str, str] = field(default_factory=dict)  # the tables' CSV files by name


def _numbers(path: Path, name: str, column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column.replace("", None), errors="coerce").astype(float)
    bad = column[numbers.isna() & (column != "")]
    if len(bad):
        raise InputError(
            f"{path}, line {bad.index[0] + 2}: column {name}: expected a number, found "
            f"{bad.iloc[0]!r}. Write the table again by running the stage that makes it."
        )
    return numbers


def read_table(path: Path, name: str) -> pd.DataFrame:
    """The CSV at `path` with text columns as str and number columns as float (empty: NaN).

    A file that is absent or empty gives no rows. Raises `InputError` naming file, line and column when
    the file is not CSV, lacks a column of the table `name`, or has text in place of a number.
    """
    text, numbers = text_columns(TABLES[name]), number_columns(TABLES[name])
    if not path.is_file() or not path.read_bytes().strip():
        return pd.DataFrame(
            {c: pd.Series(dtype=str if c in text else float) for c in text + numbers}
        )
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:  # pandas' ParserError is a ValueError
        raise InputError(f"{path}: cannot be read as CSV ({str(error).strip()}).") from error
    if missing := [column for column in text + numbers if column not in frame]:
        raise InputError(
            f"{path}: no column {', '.join(missing)}. Expected {', '.join(text + numbers)}; "
            f"found {', '.join(frame)}."
        )
    return frame.assign(**{c: _numbers(path, c, frame[c]) for c in numbers})


def read_tables(folder: Path | str) -> Tables:
    """All tables of a run. Raises `InputError` like `read_table`, and if metrics is empty."""
    folder = Path(folder)
    tables = Tables(**{name: read_table(folder / f"{name}.csv", name) for name in TABLES})
    if tables.metrics.empty:
        raise InputError(
            f"{folder / 'metrics.csv'}: no rows. Expected a row per measured figure; run the "
            f"evaluation first."
        )
    return tables


def read_files(folder: Path) -> dict[str, str]:
    """The text of each table's CSV file that exists and is not empty."""
    texts = {
        name: (folder / f"{name}.csv").read_text(encoding="utf-8-sig")
        for name in TABLES
        if (folder / f"{name}.csv").is_file()
    }
    return {name: text for name, text in texts.items() if text.strip()}


def of_single_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of single seeds, without those over all seeds."""
    return frame[frame.seed.notna()]


def over_seeds(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean over seeds in each group of `by`, one row per group.

    `low` and `high` include the spread of items and of seeds: they are those of the row without a seed,
    which is over all seeds, if the table has one; otherwise from `_wider`. `least` and `most` are the
    extremes of single seeds.
    """
    single, over_all = of_single_seeds(frame), frame[frame.seed.isna()]
    means = single.groupby(by, sort=False, as_index=False).agg(
        value=("value", "mean"),
        least=("value", "min"),
        most=("value", "max"),
        seeds=("value", "size"),
        n=("n", "min"),
    )
    sides = single.groupby(by, sort=False)[["value", "low", "high"]].apply(_wider)
    means = means.merge(sides[["low", "high"]].reset_index(), on=by, how="left")
    if over_all.empty:
        return means
    means = means.merge(
        over_all[[*by, "value", "low", "high", "n"]], "left", by, suffixes=("", "_")
    )
    for column in ("value", "low", "high", "n"):
        known = means.value_.notna()
        means[column] = means[column].where(~known, means[f"{column}_"])
    return means.drop(columns=[c for c in means if c.endswith("_")])


def _wider(group: pd.DataFrame) -> pd.Series:
    """Bounds of the mean over seeds when only the seeds' own intervals are known.

    The square of each side is the mean square of the seeds' sides, as if chance in the items were the
    same for all seeds, plus that of the t interval of the seeds' values: rather too wide than too
    narrow.
    """
    from scipy.stats import t

    mean, seeds = group.value.mean(), len(group)
    spread = t.ppf(0.975, seeds - 1) * group.value.std() / seeds**0.5 if seeds > 1 else 0
    low, high = (
        (((group.value - group[side]) ** 2).mean() + spread**2) ** 0.5 for side in ("low", "high")
    )
    return pd.Series({"low": mean - low, "high": mean + high})


def trainings(metrics: pd.DataFrame) -> int:
    """How many seeds tuned checkpoints were trained with."""
    return max(1, metrics[metrics.checkpoint != "base"].seed.nunique())


def scale_of(metrics: pd.DataFrame, metric: str) -> int:
    """100 for a metric that is a fraction (shown in percent; differences in points), else 1."""
    metric = metric.partition("_vs_")[0]
    if metric in COUNTED:
        return 1
    values = metrics[metrics.metric == metric].value
    return 100 if values.between(0, 1).all() else 1


def tasks(metrics: pd.DataFrame) -> list[tuple[tuple[str, str, str], pd.DataFrame]]:
    """(model, task, split) and its rows, for domains ID and OOD; closed-book questions first."""
    metrics = metrics[metrics.domain.isin(DOMAINS)]
    models = list(dict.fromkeys(metrics.model))
    groups = metrics.groupby(["model", "task", "split"], sort=False)
    return sorted(groups, key=lambda g: (models.index(g[0][0]), g[0][1] not in FORMS))


def main_metrics(part: pd.DataFrame) -> list[str]:
    """The metrics that are shown first; `part` is the task's rows.

    EM; or MC1 and MC2; or accuracy; F1; win rate; otherwise the first metric. Per-character accuracy is
    added if every question has one true choice, which is so if MC1 and MC3 are the same.
    """
    present = [m for m in dict.fromkeys(part.metric) if not m.endswith(DIFFERENCES)]
    shown = next((first for first in LEADING if first[0] in present), present[:1])
    shown = [metric for metric in shown if metric in present]
    if {"mc1", "mc3", "acc_norm"} <= set(present):
        keys = ["seed", "checkpoint", "domain", "category"]
        wide = part.pivot_table("value", keys, "metric", aggfunc="first")
        if (wide.mc1 - wide.mc3).abs().max() < 1e-9:
            shown.append("acc_norm")
    return shown


def closed_book_tasks(metrics: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """By task, the set of closed-book questions and, in words, how they are asked; the facts come
    first.

    The tasks of further sets are recognised by the score of a relation's commonest answer.
    """
    named = {task: (CLOSED_BOOK, words) for task, words in FORMS.items()}
    for task in dict.fromkeys(metrics[metrics.metric == "majority_em"].task):
        form = next(form for form in ("plain", "chat", "few_shot") if task.endswith(ENDINGS[form]))
        named.setdefault(task, (task.removesuffix(ENDINGS[form]), ASKED[form]))
    return named
