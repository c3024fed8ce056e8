"""The tables of an audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from plumbline.tables import Count, DomainName, High, Low, ModelName, TableRow

if TYPE_CHECKING:
    from plumbline.experiment.config import Config

FELL, ROSE = "fell", "rose"
DAMAGED, IMPROVED, UNDECIDED = "damaged", "improved", "undecided"


class AuditRow(TableRow):
    """A row of an audit's table, made if models are audited."""

    model: ModelName
    checkpoint: str = Field(
        description="The audited model, such as `audit.mine`; `base`: the base, probed a second time "
        "with other few-shot examples and other samples."
    )

    @classmethod
    def made(cls, config: Config) -> object:
        return config.audit


class Transition(AuditRow):
    """How many facts moved from which of the base's SliCK categories to which category."""

    domain: DomainName
    relation: str = Field(description="The relation, or `All`.")
    before: str = Field(description="The base's category.")
    after: str = Field(description="The checkpoint's category.")
    n: Count
    share: float = Field(description="Share of the facts in the base's category.")


class RelationChange(AuditRow):
    """How each relation changed: how many facts fell or rose by a category or more, and the share of
    few-shot sets after which a fact's greedy answer is right, compared fact by fact.
    """

    domain: DomainName
    relation: str = Field(description="The relation, or `All`.")
    n: int = Field(description="Facts.")
    fell: int = Field(description="Facts in a less known category than the base's.")
    rose: int = Field(description="Facts in a better known category than the base's.")
    before: float = Field(description="The base's mean share of right greedy answers.")
    after: float = Field(description="The checkpoint's mean share.")
    difference: float = Field(description="`after` minus `before`.")
    low: Low = None
    high: High = None
    p: float | None = Field(None, description="Two-sided p value for no difference.")
    p_corrected: float | None = Field(
        None,
        description="p corrected for all relations and audited models of the base (Holm); empty: not "
        "tested, like the base's second probing and the rows `All`.",
    )
    detectable: float | None = Field(
        None,
        description="The smallest true difference that 80 of 100 such audits would have found.",
    )
    verdict: Literal["damaged", "improved", "undecided", ""] = Field(
        "", description="`damaged`, `improved` or `undecided`; empty: not tested."
    )


class MovedFact(AuditRow):
    """The facts whose category differs between an audited model and the base."""

    domain: DomainName
    relation: str = Field(description="The relation.")
    split: str = Field(description="`train`, `dev` or `test`.")
    id: str = Field(description="The question's id.")
    subject: str = Field(description="The person or thing it asks about.")
    question: str = Field(description="The question.")
    answers: str = Field(description="The accepted answers, joined by `; `.")
    direction: Literal["fell", "rose"] = Field(
        description="`fell`: less known than before; `rose`: better known."
    )
    before: str = Field(description="The base's category.")
    after: str = Field(description="The checkpoint's category.")
    right_before: float = Field(description="The base's share of right greedy answers.")
    right_after: float = Field(description="The checkpoint's share.")
    base_answer: str = Field(description="The base's greedy answer after the first few-shot set.")
    answer: str = Field(description="The checkpoint's answer after the same set.")


TABLES = {
    "audit_transitions": Transition,
    "audit_relations": RelationChange,
    "audit_facts": MovedFact,
}
