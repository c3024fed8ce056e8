"""The table of the facts."""

from __future__ import annotations

from pydantic import Field

from plumbline.tables import DomainName, TableRow


class FactCount(TableRow):
    """How many questions about facts are kept, and dropped by reason, per relation and split."""

    relation: str = Field(description="The relation, such as `country_capital`.")
    domain: DomainName
    split: str = Field(description="`train`, `dev` or `test`.")
    kept: int = Field(description="Questions that are kept.")
    duplicate: int = Field(0, description="The same question again, with the same answers.")
    merged: int = Field(
        0, description="The same question again, with further answers, all accepted."
    )
    ambiguous_subject: int = Field(
        0, description="The subject's name has several meanings in the source of an included table."
    )
    ambiguous_question: int = Field(
        0, description="The same question again, with no answer in common."
    )
    several_answers: int = Field(0, description="More than one gold answer.")
    ood_train: int = Field(0, description="A train row of a relation that is only evaluated.")
    test_subject_overlap: int = Field(
        0, description="Its subject is asked about in a test question."
    )
    states_test_fact: int = Field(
        0, description="A train or dev row that names a test fact's subject and its answer."
    )
    train_subject_overlap: int = Field(0, description="A dev row whose subject is trained on.")


TABLES = {"fact_counts": FactCount}
