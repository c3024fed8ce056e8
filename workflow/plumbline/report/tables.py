"""The tables a report is made from: reading, checking, the mean over seeds, names in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from plumbline.config.closed_book import ENDINGS
from plumbline.evaluation.closed_book import TASKS as CLOSED_BOOK_TASKS
from plumbline.files import InputError
from plumbline.names import FORM, PLACEBO, parts
from plumbline.records import Category
from plumbline.report.names import TABLES
from plumbline.report.responses import ShownResponse

CATEGORIES = [str(category) for category in Category]
DOMAINS = {"id": "in domain (ID)", "ood": "out of domain (OOD)"}
# Tasks.
CLOSED_BOOK, GRATH_PAIRS, LONG_FORM, WIN_RATE = "closed_book", "pairs", "long_form", "win_rate"
# How closed-book questions are asked.
ASKED = {
    "few_shot": "after worked examples",
    "plain": "after an instruction alone",
    "chat": "as a user's turn",
}
# The same by task, of those about the facts.
FORMS = {CLOSED_BOOK_TASKS[form]: words for form, words in ASKED.items()}
TASKS = {task: f"closed-book questions {form}" for task, form in FORMS.items()}
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
# Metrics that come first, by what a task is measured by.
LEADING = [("em",), ("mc1", "mc2"), ("acc", "mc2", "acc_norm"), ("f1",), ("win",)]
# By the first part of a checkpoint's name, in reading order.
METHODS = {"mix": "mixes", "grath": "GRATH", "flame": "FLAME", "apeft": "APEFT"}
STOPS = {"early_stop": "early stop", "convergence": "convergence"}
# Parts of the names of FLAME's checkpoints.
STAGES = {
    "sft": "SFT",
    "dpo": "DPO",
    "facttune": "FactTune",
    "-star": "★",
    "-rag": " (retrieved)",
    "-mc": "-MC",
    ".": ", ",
}
# A checkpoint of APEFT, or its training file, which has no loss.
_ATOMIC = re.compile(r"atomic-(?P<percent>\d+(?:\.\d+)?)(?:\.(?P<loss>\w+))?")
_STAGE = re.compile("|".join(map(re.escape, STAGES)))

# Gekhman et al. 2024, Table 1 (PaLM 2 base, full EntityQuestions): accuracy points and R2.
PAPER_LINEAR_MODEL = {
    "id": {"intercept": 36.9, "known_fitted": 7.3, "unknown_fitted": -8.3, "r2": 0.86},
    "ood": {"intercept": 36.2, "known_fitted": 3.2, "unknown_fitted": -3.0, "r2": 0.95},
}


@dataclass(frozen=True)
class Tables:
    """One data frame a CSV file of a run's `tables/` folder; an absent file is an empty frame."""

    metrics: pd.DataFrame
    contrasts: pd.DataFrame
    comparisons: pd.DataFrame
    gains: pd.DataFrame
    study: pd.DataFrame
    slick_counts: pd.DataFrame
    fit_curves: pd.DataFrame
    fit_speed: pd.DataFrame
    linear_model: pd.DataFrame
    p_true: pd.DataFrame
    preference_curves: pd.DataFrame
    grath_rounds: pd.DataFrame
    apeft_pairs: pd.DataFrame
    claim_states: pd.DataFrame
    verifier: pd.DataFrame
    judge_calibration: pd.DataFrame
    token_shift: pd.DataFrame
    token_shift_verdicts: pd.DataFrame
    token_shift_tokens: pd.DataFrame
    contamination: pd.DataFrame
    fact_counts: pd.DataFrame
    dropped: pd.DataFrame
    stages: pd.DataFrame


@dataclass(frozen=True)
class Run:
    """All a section may draw on."""

    tables: Tables
    plan: dict
    manifest: dict
    responses: Sequence[ShownResponse] = ()


def _numbers(path: Path, name: str, column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column.replace("", None), errors="coerce").astype(float)
    bad = column[numbers.isna() & (column != "")]
    if len(bad):
        raise InputError(
            f"{path}, line {bad.index[0] + 2}: column {name}: expected a number, found "
            f"{bad.iloc[0]!r}. Write the table anew by running the stage that makes it."
        )
    return numbers


def read_table(path: Path, name: str) -> pd.DataFrame:
    """The CSV at `path` with text columns as str and number columns as float (empty: NaN).

    A file that is absent or empty gives no rows. Raises `InputError` naming file, line and column
    when the file is no CSV, lacks a column of the table `name`, or holds text for a number.
    """
    text, numbers = TABLES[name].text.split(), TABLES[name].numbers.split()
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
    if name == "fact_counts":  # every further column counts what was dropped for one reason
        numbers = [column for column in frame if column not in text]
    return frame.assign(**{c: _numbers(path, c, frame[c]) for c in numbers})


def read_tables(folder: Path | str) -> Tables:
    """All tables of a run. Raises `InputError` as `read_table` does, and for empty metrics."""
    folder = Path(folder)
    tables = Tables(**{name: read_table(folder / f"{name}.csv", name) for name in TABLES})
    if tables.metrics.empty:
        raise InputError(
            f"{folder / 'metrics.csv'}: no rows. Expected one row a measured figure; "
            f"run the evaluation first."
        )
    return tables


def of_single_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one seed each, without those over all of them."""
    return frame[frame.seed.notna()]


def over_seeds(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean over seeds in each group of `by`, one row a group.

    `low` and `high` hold the spread of items and seeds: those of the row without a seed, which is
    over all of them, where the table has one; else `_wider` ones. `least` and `most` are of single
    seeds.
    """
    single, over_all = of_single_seeds(frame), frame[frame.seed.isna()]
    found = single.groupby(by, sort=False, as_index=False).agg(
        value=("value", "mean"),
        least=("value", "min"),
        most=("value", "max"),
        seeds=("value", "size"),
        n=("n", "min"),
    )
    sides = single.groupby(by, sort=False)[["value", "low", "high"]].apply(_wider)
    found = found.merge(sides[["low", "high"]].reset_index(), on=by, how="left")
    if over_all.empty:
        return found
    found = found.merge(
        over_all[[*by, "value", "low", "high", "n"]], "left", by, suffixes=("", "_")
    )
    for column in ("value", "low", "high", "n"):
        known = found.value_.notna()
        found[column] = found[column].where(~known, found[f"{column}_"])
    return found.drop(columns=[c for c in found if c.endswith("_")])


def _wider(one: pd.DataFrame) -> pd.Series:
    """Bounds of the mean over seeds where only the seeds' own intervals are known.

    Each side's square is the mean square of theirs, as if all seeds had met the same luck with
    items, plus that of the t interval of the seeds' values: too wide rather than too narrow.
    """
    from scipy.stats import t

    mean, seeds = one.value.mean(), len(one)
    spread = t.ppf(0.975, seeds - 1) * one.value.std() / seeds**0.5 if seeds > 1 else 0
    low, high = (
        (((one.value - one[side]) ** 2).mean() + spread**2) ** 0.5 for side in ("low", "high")
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
    """What is shown first of a task's metrics, `part` being its rows.

    EM; or MC1 and MC2; or accuracy; F1; win rate; else the first metric. Per-character
    accuracy comes with them where every question has one true choice, which shows in that MC1 and
    MC3 are the same.
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


def grath_scores(rounds: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of the scores: one row a model, variant, task, domain, round and metric."""
    keys = ["model", "variant", "task", "domain", "round", "metric"]
    return over_seeds(rounds[rounds.task != GRATH_PAIRS], keys)


def grath_pairs(rounds: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of what is counted and measured on pairs: one row a model, variant, round
    and metric.
    """
    return over_seeds(rounds[rounds.task == GRATH_PAIRS], ["model", "variant", "round", "metric"])


def checkpoint_label(name: str) -> str:
    """`mix.unknown-50.early_stop` as `unknown-50, early stop`, `grath.r1` as `GRATH, round 1`,
    `flame.sft-star.dpo-star` as `FLAME: SFT★, DPO★`, `grath-unknown-0.r1` as `GRATH without Unknown,
    round 1`, `grath.r1.placebo` as `GRATH, round 1, placebo`; other names as they are.
    """
    if name.endswith(PLACEBO):
        return f"{checkpoint_label(name.removesuffix(PLACEBO))}, placebo"
    if name == FORM:
        return "form only"
    method, percent, rest = parts(name)
    tuning, _, stop = rest.rpartition(".")
    if method == "mix" and tuning and stop in STOPS:
        return f"{tuning}, {STOPS[stop]}"
    if method == "flame" and rest:
        stages = _STAGE.sub(lambda found: STAGES[found[0]], rest)
        return f"{_variant_label(method, percent)}: {stages}"
    if method == "grath" and re.fullmatch(r"r\d+", rest):
        return f"{_variant_label(method, percent)}, round {rest[1:]}"
    if method == "apeft" and (found := _ATOMIC.fullmatch(rest)):
        loss = f", {found['loss']}" if found["loss"] else ""
        return f"{_variant_label(method, percent)}: {found['percent']} % atomic{loss}"
    return name


def variant_label(variant: str) -> str:
    """`grath` as `GRATH`, `grath-unknown-25` as `GRATH with 25 % of Unknown`."""
    method, percent, _ = parts(f"{variant}.")
    return _variant_label(method, percent)


def _variant_label(method: str, percent: float) -> str:
    filtered = f" with {percent:g} % of Unknown" if percent else " without Unknown"
    return method_label(method) + (filtered if percent < 100 else "")


def method_label(method: str) -> str:
    """`grath` as `GRATH`, `mix` as `mixes`; a method without a name of its own as it is."""
    return METHODS.get(method, method)


def checkpoint_order(name: str) -> tuple:
    """Sort key: the base, what the mixes are tuned on first, the mixes by their share of Unknown,
    other mixes, the other methods in the order of `METHODS` (GRATH's rounds, FLAME's first stage
    and then its second, APEFT's by share of atomic pairs), all else. Of a method first what keeps
    all Unknown.
    """
    method, percent, rest = parts(name)
    name = f"{method}.{rest}" if rest else method
    kinds = [FORM, "mix.unknown-", *(f"{one}." for one in METHODS)]
    rank = next((n for n, kind in enumerate(kinds) if name.startswith(kind)), len(kinds))
    rank = -1 if name == "base" else rank
    stem, _, stop = name.rpartition(".")
    if stop not in STOPS:
        stem, stop = name, ""
    pieces = re.split(r"(\d+|\.)", stem)
    natural = [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in pieces]
    return rank, -percent, stem.count("."), natural, list(STOPS).index(stop) if stop else 0


def closed_book_tasks(metrics: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """By task, the set of closed-book questions and how they are asked in words: those about the
    facts first. Of further sets it is known what a relation's commonest answer would score.
    """
    found = {task: (CLOSED_BOOK, words) for task, words in FORMS.items()}
    for task in dict.fromkeys(metrics[metrics.metric == "majority_em"].task):
        form = next(form for form in ("plain", "chat", "few_shot") if task.endswith(ENDINGS[form]))
        found.setdefault(task, (task.removesuffix(ENDINGS[form]), ASKED[form]))
    return found


def closed_book(metrics: pd.DataFrame, task: str) -> pd.DataFrame:
    """Test EM over all questions in one form of asking."""
    where = "task == @task and metric == 'em' and category == 'All' and split == 'test'"
    return metrics.query(where, local_dict={"task": task})


def mix_task(metrics: pd.DataFrame) -> str:
    """The closed-book task in the form that the mixes are tuned in. Only they are tuned in plain."""
    plain = CLOSED_BOOK_TASKS["plain"]
    return plain if (metrics.task == plain).any() else CLOSED_BOOK_TASKS["chat"]


def mix_points(metrics: pd.DataFrame) -> pd.DataFrame:
    """Closed-book test EM of the mixes `mix.unknown-X.STOP` in the form they are tuned in, with
    columns `percent` and `stop`.
    """
    rows = closed_book(metrics, mix_task(metrics))
    parts = rows.checkpoint.str.extract(r"^mix\.unknown-(\d+)\.(early_stop|convergence)$")
    return rows.assign(percent=parts[0].astype(float), stop=parts[1]).dropna(subset=["stop"])
