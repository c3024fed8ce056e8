"""How far a verifier can be trusted: claims of known truth, and how its verdicts agree with them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from plumbline.claims.records import Claim, Verdict
from plumbline.records import Question
from plumbline.texts.text import fold
from plumbline.verification.statements import STATEMENTS, render


class LabelledClaim(Claim):
    """A claim made from a fact, and whether it is true."""

    relation: str
    true: bool = Field(description="False: the object was swapped for another of the relation.")


def labelled_claims(
    questions: Iterable[Question],
    n: int,
    seed: int,
    statements: Mapping[str, Sequence[str]] = STATEMENTS,
) -> list[LabelledClaim]:
    """At most `n` claims, half of them false, spread evenly over the relations with wordings.

    A false claim has the first answer of another subject of the relation, none of whose answers is
    accepted for the claim's subject. Wordings are drawn at random; equal seeds give equal claims. Fewer
    than `n` if the facts do not suffice, none if no relation has wordings.
    """
    facts: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        if question.relation in statements:
            facts[question.relation].append(question)
    order = random.Random(seed)
    pools = {relation: order.sample(facts[relation], len(facts[relation])) for relation in facts}
    claims: list[LabelledClaim] = []
    turn = 0
    while len(claims) < n and any(pools.values()):
        # True and false alternate from claim to claim, and from one turn of a relation to the next.
        for place, relation in enumerate(sorted(name for name in pools if pools[name])):
            if len(claims) == n:
                break
            question = pools[relation].pop()
            true = (place + turn) % 2 == 0
            object_ = question.answers[0] if true else _other(question, facts[relation], order)
            if object_ is None:
                continue
            text = render(relation, question.subject, object_, order.choice(statements[relation]))
            claims.append(
                LabelledClaim(
                    id=f"{question.id}/{len(claims)}",
                    response=question.id,
                    topic=question.subject,
                    sentence=0,
                    text=text,
                    relation=relation,
                    true=true,
                )
            )
        turn += 1
    return claims


def _other(question: Question, facts: list[Question], order: random.Random) -> str | None:
    """The first answer of another fact, drawn among those that share no answer with this one."""
    accepted = set(map(fold, question.answers))
    others = sorted({q.answers[0] for q in facts if not accepted & set(map(fold, q.answers))})
    return order.choice(others) if others else None


def agreement(verdicts: Iterable[Verdict], labels: Mapping[str, bool]) -> dict[str, float]:
    """How verdicts agree with labels (claim id to whether it is true).

    n; coverage, the share that is decided (not unverifiable); accuracy, the share of the decided that
    is right; precision, the share of the supported that is true; recall, the share of the true that
    is supported. A figure without a denominator is left out. KeyError for a claim without a label.
    """
    pairs = [(verdict.verdict, labels[verdict.claim]) for verdict in verdicts]
    decided = [
        (verdict == "supported", true) for verdict, true in pairs if verdict != "unverifiable"
    ]
    supported = [true for is_supported, true in decided if is_supported]
    of_true = [verdict == "supported" for verdict, true in pairs if true]
    parts = {
        "coverage": [verdict != "unverifiable" for verdict, _ in pairs],
        "accuracy": [said == true for said, true in decided],
        "precision": supported,
        "recall": of_true,
    }
    shares = {name: sum(part) / len(part) for name, part in parts.items() if part}
    return {"n": len(pairs), **shares}


def agreement_by_relation(
    verdicts: Iterable[Verdict], claims: Iterable[LabelledClaim]
) -> dict[str, dict[str, float]]:
    """`agreement` for each relation and, under "All", for all claims."""
    by_id = {claim.id: claim for claim in claims}
    labels = {name: claim.true for name, claim in by_id.items()}
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[by_id[verdict.claim].relation].append(verdict)
        groups["All"].append(verdict)
    return {name: agreement(group, labels) for name, group in sorted(groups.items())}
