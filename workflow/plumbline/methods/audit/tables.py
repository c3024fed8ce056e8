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
    """A row of any of them, which are made where models are audited."""

    model: ModelName
    checkpoint: str = Field(
        description="The audited model, such as `audit.mine`; `base`: the base, probed a second time "
        "with other worked examples and other samples."
    )

    @classmethod
    def made(cls, config: Config) -> object:
        return config.audit


class Transition(AuditRow):
    """How many facts of each SliCK category of the base are in which category afterwards."""

    domain: DomainName
    relation: str = Field(description="The relation, or `All`.")
    before: str = Field(description="The base's category.")
    after: str = Field(description="The category to the checkpoint.")
    n: Count
    share: float = Field(description="Share of the facts in the base's category.")


class RelationChange(AuditRow):
    """What became of each relation: how many facts fell or rose by a category or more, and the share
    of worked-example sets after which a fact's greedy answer is right, paired fact by fact.
    """

    domain: DomainName
    relation: str = Field(description="The relation, or `All`.")
    n: int = Field(description="Facts.")
    fell: int = Field(description="Facts in a less known category than the base's.")
    rose: int = Field(description="Facts in a better known one.")
    before: float = Field(description="The base's mean share of right greedy answers.")
    after: float = Field(description="The checkpoint's.")
    difference: float = Field(description="`after` less `before`.")
    low: Low = None
    high: High = None
    p: float | None = Field(None, description="Two-sided p of no difference.")
    p_corrected: float | None = Field(
        None,
        description="The same corrected (Holm) for all relations and audited models of the base; "
        "empty: not tested, as the base's second probing and the rows `All`.",
    )
    detectable: float | None = Field(
        None, description="The smallest difference that 80 of 100 such audits would have seen."
    )
    verdict: Literal["damaged", "improved", "undecided", ""] = Field(
        "", description="`damaged`, `improved` or `undecided`; empty: not tested."
    )


class MovedFact(AuditRow):
    """The facts that are in another category to an audited model than to the base."""

    domain: DomainName
    relation: str = Field(description="The relation.")
    split: str = Field(description="`train`, `dev` or `test`.")
    id: str = Field(description="The question's id.")
    subject: str = Field(description="Whom or what it asks about.")
    question: str = Field(description="The question.")
    answers: str = Field(description="The accepted answers, joined by `; `.")
    direction: Literal["fell", "rose"] = Field(
        description="`fell`: less known than before; `rose`: better."
    )
    before: str = Field(description="The base's category.")
    after: str = Field(description="The category to the checkpoint.")
    right_before: float = Field(description="The base's share of right greedy answers.")
    right_after: float = Field(description="The checkpoint's.")
    base_answer: str = Field(
        description="The base's greedy answer after the first worked examples."
    )
    answer: str = Field(description="The checkpoint's, after the same.")


TABLES = {
    "audit_transitions": Transition,
    "audit_relations": RelationChange,
    "audit_facts": MovedFact,
}
