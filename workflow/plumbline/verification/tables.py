"""The table of a verifier's test."""

from __future__ import annotations

from pydantic import Field

from plumbline.tables import High, Low, TableRow


class VerifierShare(TableRow):
    """How often the verifier is right about claims of known truth."""

    claims: str = Field(
        description="`templates`: made from the facts; `models`: written by models and labelled by "
        "a reader."
    )
    relation: str = Field(description="The relation of the claims, or `All`.")
    metric: str = Field(
        description="`accuracy` among decided claims, `precision` among those called supported, "
        "`recall` among true ones, or `coverage`: the share of claims that is decided."
    )
    value: float = Field(description="The share.")
    low: Low
    high: High
    n: int = Field(description="Claims that the share is of.")


TABLES = {"verifier": VerifierShare}
