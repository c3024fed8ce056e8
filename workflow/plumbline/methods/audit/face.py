"""The face of the audit: models that were tuned elsewhere."""

from __future__ import annotations

from pydantic import Field

from plumbline.methods.audit.checkpoints import brought, check
from plumbline.methods.audit.config import Audit
from plumbline.methods.audit.contrasts import contrasts
from plumbline.methods.audit.cost import cost
from plumbline.methods.audit.files import AuditFiles
from plumbline.methods.audit.report import REPORT
from plumbline.methods.method import Method


def words(variant: str, rest: str) -> str | None:
    """A model has the name that its user gave it."""
    return rest


AUDIT = Method(
    name="audit",
    label="Audit",
    sections={
        "audit": (Audit | None, Field(None, description="Models tuned elsewhere; null: none."))
    },
    tunings=brought,
    check=check,
    contrasts=contrasts,
    cost=cost,
    words=words,
    files=AuditFiles,
    report=REPORT,
)
