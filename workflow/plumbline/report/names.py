"""Names and contents of a run's tables and figures; the workflow's rules read this too."""

from __future__ import annotations

from plumbline.data import tables as data
from plumbline.evaluation import tables as evaluation
from plumbline.experiment import tables as experiment
from plumbline.judging import tables as judging
from plumbline.methods.registry import METHODS
from plumbline.report.parts import Figure
from plumbline.training import tables as training
from plumbline.verification import tables as verification

# The record type of each table, from the package that fills it.
TABLES = {
    **evaluation.TABLES,
    **data.TABLES,
    **training.TABLES,
    **verification.TABLES,
    **judging.TABLES,
    **{name: record for method in METHODS for name, record in method.report.tables.items()},
    **experiment.TABLES,
}
FIGURES = {
    **{name: figure for method in METHODS for name, figure in method.report.figures.items()},
    "factuality": Figure("Factuality against helpfulness", "metrics", "Long answers"),
    "token_shift": Figure(
        "Shares of shifted tokens in and out of the domain", "token_shift", "Token shift"
    ),
    "token_shift_positions": Figure(
        "Share of shifted tokens by position in the answer", "token_shift", "Token shift"
    ),
    "preference_curves": Figure(
        "Loss, margin and accuracy by step of preference training",
        "preference_curves",
        "Preference training",
    ),
    "gains": Figure("Gain in the domain against gain out of it", "gains", "All checkpoints"),
    "id_ood": Figure(
        "Every checkpoint in and out of the tuning domain", "metrics", "All checkpoints"
    ),
}
