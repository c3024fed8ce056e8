"""What a run's tables and figures are called and hold; the workflow's rules read this too."""

from __future__ import annotations

from plumbline.methods.registry import METHODS
from plumbline.report.parts import Columns, Figure

TABLES = {
    "metrics": Columns(
        "model checkpoint parent task domain split category metric", "seed value low high n"
    ),
    "contrasts": Columns(
        "model method contrast first second task domain metric role kind verdict",
        "first_value second_value difference low high p p_corrected detectable margin n seeds",
    ),
    "comparisons": Columns(
        "model checkpoint against other task domain metric",
        "value other_value difference low high p n seeds",
    ),
    "gains": Columns("model checkpoint against other domain tasks", "value low high n"),
    "fact_counts": Columns("relation domain split", "kept"),
    "preference_curves": Columns(
        "model tuning", "seed step epoch loss margin accuracy chosen rejected"
    ),
    "claim_states": Columns("model checkpoint item state", "seed n"),
    "verifier": Columns("claims relation metric", "value low high n"),
    "judge_calibration": Columns("model judge use kind usable", "seed right low high n"),
    "token_shift": Columns("model tuned reference domain position metric", "seed value low high n"),
    "token_shift_verdicts": Columns(
        "model tuned reference verdict reason",
        "seed id_shifted id_low id_high ood_shifted ood_low ood_high change change_low change_high "
        "change_n margin",
    ),
    "token_shift_tokens": Columns("model tuned reference token", "seed shifted n"),
    "contamination": Columns(
        "model training set examples", "rows n equal shared stated contaminated percent"
    ),
    "dropped": Columns("stage model seed item reason", "n"),
    "stages": Columns("stage", "wall_seconds peak_memory_mib jobs"),
    **{name: columns for method in METHODS for name, columns in method.report.tables.items()},
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
