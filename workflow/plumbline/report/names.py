"""What a run's tables and figures are called and hold; the workflow's rules read this too."""

from __future__ import annotations

from typing import NamedTuple


class Columns(NamedTuple):
    """A table's columns of text and of numbers."""

    text: str
    numbers: str


class Figure(NamedTuple):
    """What a reader who cannot see it is told, the table it needs, where it is filed."""

    title: str
    table: str
    category: str


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
    "study": Columns("model method loss domain against tasks", "percent value low high n"),
    "fact_counts": Columns("relation domain split", "kept"),
    "slick_counts": Columns("model relation domain split category", "n"),
    "fit_curves": Columns(
        "model tuning part domain category stop", "seed unknown_percent epoch value low high n"
    ),
    "fit_speed": Columns("model tuning category state", "share value low high n seeds"),
    "linear_model": Columns("model domain term reason", "estimate low high r2 n seeds left_out"),
    "p_true": Columns(
        "model checkpoint task domain probe called", "seed threshold share value low high n"
    ),
    "preference_curves": Columns(
        "model tuning", "seed step epoch loss margin accuracy chosen rejected"
    ),
    "grath_rounds": Columns(
        "model variant checkpoint task domain metric", "seed round value low high n"
    ),
    "apeft_pairs": Columns("model set item state", "seed n"),
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
}
FIGURES = {
    "slick_categories": Figure("Share of SliCK categories by relation", "slick_counts", "SliCK"),
    "fit_curves": Figure("Share answered right by epoch and mix", "fit_curves", "SliCK"),
    "accuracy_by_unknown": Figure(
        "Test accuracy by share of Unknown in the mix", "metrics", "SliCK"
    ),
    "linear_model": Figure("Slopes of the linear model", "linear_model", "SliCK"),
    "grath_rounds": Figure("MC1 and MC2 by round of GRATH", "grath_rounds", "GRATH"),
    "grath_similarity": Figure(
        "Similarity of correct and incorrect answers by round", "grath_rounds", "GRATH"
    ),
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
