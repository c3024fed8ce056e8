"""The test of a verifier, with intervals: on claims from templates, and on claims by models.

The former are made from the facts by templates, half of them false; a verifier that fails on them
cannot even read its own wordings. The latter were written by models and labelled by reading; they show
how good its decisions on such claims are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from plumbline.claims.records import Verdict
from plumbline.evaluation.statistics import share
from plumbline.verification.truth import LabelledClaim, agreement_by_relation

TEMPLATES, MODELS = "templates", "models"  # whose claims


def agreement_rows(verdicts: Sequence[Verdict], claims: Sequence[LabelledClaim]) -> list[dict]:
    """Rows of `VerifierShare` about templates: each metric, by relation and for All.

    As defined by `truth.agreement`; n is the number of claims that a share is of (all of them; the
    decided; those called supported; the true), and the interval is Wilson's. A share of no claims
    has no row.
    """
    label = {claim.id: claim for claim in claims}
    rows = []
    for relation, agreement in agreement_by_relation(verdicts, claims).items():
        mine = [v for v in verdicts if relation in ("All", label[v.claim].relation)]
        sizes = {
            "accuracy": sum(v.verdict != "unverifiable" for v in mine),
            "precision": sum(v.verdict == "supported" for v in mine),
            "recall": sum(label[v.claim].true for v in mine),
            "coverage": len(mine),
        }
        for metric, n in sizes.items():
            if metric in agreement:
                estimate = asdict(share(round(agreement[metric] * n), n))
                rows.append(
                    {"claims": TEMPLATES, "relation": relation, "metric": metric, **estimate}
                )
    return rows
