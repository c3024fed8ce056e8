"""Questions about claims from the fact tables: they ask for what the verifier read a claim as.

Ours: the verifier's evidence names the relation and subject of a claim; the question is the fact's
own, and the statement is the relation's own wording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from plumbline.claims.records import Claim, Verdict
from plumbline.methods.apeft.questions import SLOT, AtomicQuestion, facts_in
from plumbline.records import Question
from plumbline.storage.files import DifferentRuns
from plumbline.verification.statements import render, wordings


def questions(
    claims: Iterable[Claim], verdicts: Mapping[str, Verdict], facts: Iterable[Question]
) -> tuple[list[AtomicQuestion], Counter]:
    """A question for each fact that a claim was read as, and why some have none.

    verdicts: by claim id. False and undecided claims count too, since they name what the question asks
    about. Facts about subjects that are not trained on are not asked about. Raises InputError for a
    claim without a verdict.
    """
    known = {(fact.relation, fact.subject): fact for fact in facts}
    made: list[AtomicQuestion] = []
    dropped: Counter = Counter()
    for claim in claims:
        if claim.id not in verdicts:
            raise DifferentRuns(
                f"claim {claim.id} has no verdict",
                "Verify again",
            )
        read = list(facts_in(verdicts[claim.id]))
        if not read:
            dropped["no fact recognised"] += 1
        for number, (asked, objects) in enumerate(read):
            fact = known.get((asked.relation, asked.subject))
            if fact is None:
                dropped["fact without a question"] += 1
            elif fact.split != "train":
                dropped["subject not of the training split"] += 1
            else:
                made.append(
                    AtomicQuestion(
                        id=f"{claim.id}/{number}",
                        topic=claim.topic,
                        claim=claim.id,
                        question=fact.question,
                        statement=statement(fact.relation, fact.subject),
                        object=next(iter(objects), None),
                        asked=asked,
                    )
                )
    return made, dropped


def statement(relation: str, subject: str) -> str:
    """The relation's first wording that suits any object, with a slot for it."""
    template = next(text for text in wordings(relation) if "{object}" in text)
    return render(relation, subject, SLOT, template)
