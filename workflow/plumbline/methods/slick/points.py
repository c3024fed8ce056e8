"""Values about mixes from the table of metrics, and the paper's results."""

from __future__ import annotations

import pandas as pd

from plumbline.evaluation.exact_answers import TASKS as CLOSED_BOOK_TASKS

# Gekhman et al. 2024, Table 1 (PaLM 2 base, full EntityQuestions): accuracy points and R2.
PAPER_LINEAR_MODEL = {
    "id": {"intercept": 36.9, "known_fitted": 7.3, "unknown_fitted": -8.3, "r2": 0.86},
    "ood": {"intercept": 36.2, "known_fitted": 3.2, "unknown_fitted": -3.0, "r2": 0.95},
}


def closed_book(metrics: pd.DataFrame, task: str) -> pd.DataFrame:
    """Test EM over all questions, asked in one form."""
    where = "task == @task and metric == 'em' and category == 'All' and split == 'test'"
    return metrics.query(where, local_dict={"task": task})


def mix_task(metrics: pd.DataFrame) -> str:
    """The closed-book task in the form that mixes are tuned in. Only mixes are tuned in plain."""
    plain = CLOSED_BOOK_TASKS["plain"]
    return plain if (metrics.task == plain).any() else CLOSED_BOOK_TASKS["chat"]


def mix_points(metrics: pd.DataFrame) -> pd.DataFrame:
    """Closed-book test EM of the mixes `mix.unknown-X.STOP` in the form they are tuned in, with
    columns `percent` and `stop`.
    """
    rows = closed_book(metrics, mix_task(metrics))
    parts = rows.checkpoint.str.extract(r"^mix\.unknown-(\d+)\.(early_stop|convergence)$")
    return rows.assign(percent=parts[0].astype(float), stop=parts[1]).dropna(subset=["stop"])
