"""A verifier put to the test, with intervals: on claims in own wordings, and on models' claims.

The first are made from the facts by templates, half of them false: what a verifier that does not
even read those is worth. The second models wrote and were labelled by reading: what its decisions
are worth on such claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from plumbline.claims.records import Verdict
from plumbline.evaluation.statistics import share
from plumbline.verification.truth import LabelledClaim, agreement_by_relation

TEMPLATES, MODELS = "templates", "models"  # whose claims


def agreement_rows(verdicts: Sequence[Verdict], claims: Sequence[LabelledClaim]) -> list[dict]:
    """Rows of `VerifierShare` on templates, of each metric, by relation and for All.

    As `truth.agreement` defines them; n is the number of claims a share is of (all of them; the
    decided ones; those called supported; the true ones), and the interval is Wilson's. A share of
    nothing has no row.
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
