"""Contrasts for the report's tests: every verdict of both kinds."""

from __future__ import annotations

BASE = dict(
    model="m", method="grath", contrast="last round", first="grath.r2", second="grath.r1",
    task="truths", domain="ood", metric="mc1", role="primary", kind="difference",
    first_value=0.3125, second_value=0.35, difference=-0.0375, low=-0.0812, high=0.0062, p=0.09,
    p_corrected=0.27, verdict="undecided", detectable=0.0634, margin="", n=80, seeds=2,
)  # fmt: skip


def contrast(**more) -> dict:
    """A row of contrasts.csv: the second round of GRATH against the first, nothing seen."""
    return BASE | more


def tables(model: str) -> list[dict]:
    """Rows of one model: each verdict once among the primary ones, and two secondary ones."""
    mixes = dict(
        method="mix", first="mix.unknown-100.convergence", second="mix.unknown-0.convergence"
    )
    asked = dict(task="closed_book_plain", metric="em")
    rows = [
        contrast(**mixes, **asked, contrast="more unknown", n=70, first_value=0.1143,
                 second_value=0.2286, difference=-0.1143, low=-0.1871, high=-0.0415, p=0.0021,
                 p_corrected=0.0084, verdict="lower", detectable=0.1042),
        contrast(),
        contrast(contrast="unrelated", task="facts", kind="equivalence", first_value=0.4,
                 second_value=0.4033, difference=-0.0033, low=-0.0171, high=0.0105, p=0.0091,
                 p_corrected=0.0273, verdict="held", margin=0.02, n=60),
        contrast(method="flame", contrast="factuality", first="flame.sft-star.dpo-star",
                 second="flame.sft.dpo", task="long_form", metric="f1", first_value=0.55,
                 second_value=0.31, difference=0.24, low=0.151, high=0.329, p=0.00004,
                 p_corrected=0.0002, verdict="higher", detectable=0.1269, n=30),
        contrast(method="flame", contrast="knowledge", first="flame.sft-star.dpo-star",
                 second="base", kind="equivalence", margin=0.02, **asked, p=0.6, p_corrected=1.0),
        contrast(contrast="rounds", metric="mc2", role="secondary", p_corrected=""),
        contrast(**mixes, **asked, domain="id", contrast="more unknown", role="secondary",
                 difference=-0.02, low=-0.05, high=0.01, p_corrected=""),
    ]  # fmt: skip
    return [row | dict(model=model) for row in rows]
