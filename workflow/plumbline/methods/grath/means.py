"""Means over seeds of the table of rounds."""

from __future__ import annotations

import pandas as pd

from plumbline.report.tables import over_seeds

PAIRS = "pairs"  # the table's task for counts and measures of pairs


def score_means(rounds: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of the scores: a row per model, variant, task, domain, round and metric."""
    keys = ["model", "variant", "task", "domain", "round", "metric"]
    return over_seeds(rounds[rounds.task != PAIRS], keys)


def pair_means(rounds: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of counts and measures of pairs: a row per model, variant, round and metric."""
    return over_seeds(rounds[rounds.task == PAIRS], ["model", "variant", "round", "metric"])
