"""How facts changed between two probings: moves between categories, and tests by relation.

A category of SliCK is a coarse and noisy label: it depends on the few-shot examples that are shown and,
for WeaklyKnown and Unknown, on the answers that are sampled. So moves alone prove nothing; they are
counted beside those of the base when it is probed a second time. What is tested, fact by fact and with
the same few-shot examples, is how often greedy answers are right, which involves no sampling.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from plumbline.evaluation.estimation import Estimated, difference
from plumbline.evaluation.statistics import holm
from plumbline.methods.audit.tables import (
    DAMAGED,
    FELL,
    IMPROVED,
    ROSE,
    UNDECIDED,
    MovedFact,
    RelationChange,
    Transition,
)
from plumbline.methods.slick.probing import GREEDY
from plumbline.names import BASE
from plumbline.records import Annotation, Category, Generation, Question, Request
from plumbline.storage.files import InputError

ALL = "All"
_RANK = {category: rank for rank, category in enumerate(Category)}  # 0: best known


class ProbedFact(NamedTuple):
    """A question with its category in the base's first probing and in another one."""

    question: Question
    before: Annotation
    after: Annotation

    @property
    def steps(self) -> int:
        """By how many categories it fell; below 0: rose."""
        return _RANK[self.after.category] - _RANK[self.before.category]


def paired(
    questions: Iterable[Question], before: Iterable[Annotation], after: Iterable[Annotation]
) -> list[ProbedFact]:
    """The facts of two probings. InputError unless both are of these questions."""
    first, second = ({row.id: row for row in rows} for rows in (before, after))
    asked = {question.id: question for question in questions}
    for probed in (first, second):
        if different := probed.keys() ^ asked.keys():
            raise InputError(
                f"question {min(different)}: not in both probings, or not among the questions that "
                f"are probed. Probe again."
            )
    return [ProbedFact(question, first[name], second[name]) for name, question in asked.items()]


def places(facts: Iterable[ProbedFact]) -> dict[tuple[str, str], list[ProbedFact]]:
    """Facts by domain and relation; all of a domain come before its relations."""
    relations: dict[tuple[str, str], list[ProbedFact]] = defaultdict(list)
    for fact in facts:
        relations[fact.question.domain, fact.question.relation].append(fact)
    found: dict[tuple[str, str], list[ProbedFact]] = {}
    for domain, _ in sorted(relations):
        found.setdefault(
            (domain, ALL), [f for key, own in relations.items() if key[0] == domain for f in own]
        )
    return found | {key: relations[key] for key in sorted(relations)}


def transitions(model: str, checkpoint: str, facts: Iterable[ProbedFact]) -> Iterator[Transition]:
    """Every pair of categories of a domain, and of a relation those that occur."""
    for (domain, relation), here in places(facts).items():
        counts = Counter((fact.before.category, fact.after.category) for fact in here)
        of_category = Counter(fact.before.category for fact in here)
        for before in Category:
            for after in Category:
                n = counts[before, after]
                if n or (relation == ALL and of_category[before]):
                    yield Transition(
                        model=model,
                        checkpoint=checkpoint,
                        domain=domain,
                        relation=relation,
                        before=before,
                        after=after,
                        n=n,
                        share=n / of_category[before],
                    )


def relation_changes(
    model: str, probings: Mapping[str, Sequence[ProbedFact]], confidence: float
) -> list[RelationChange]:
    """A row per checkpoint, domain and relation.

    probings: one model's, by checkpoint. The relations of all audited models are tested as one
    family. Not tested are the base's second probing, which shows the effect of other few-shot
    examples and not of tuning, and the rows over all relations, which are about the same facts.
    """
    rows, tested = [], []
    for checkpoint, facts in probings.items():
        for (domain, relation), here in places(facts).items():
            row, estimated = _change(model, checkpoint, domain, relation, here, confidence)
            rows.append(row)
            if estimated.se is not None:
                row.p = estimated.p()
                if checkpoint != BASE and relation != ALL:
                    tested.append((row, estimated))
    alpha = 1 - confidence
    for (row, estimated), p in zip(tested, holm([row.p for row, _ in tested]), strict=True):
        row.p_corrected = p
        row.detectable = estimated.detectable(alpha / len(tested))
        row.verdict = (DAMAGED if row.difference < 0 else IMPROVED) if p <= alpha else UNDECIDED
    return rows


def _change(
    model: str,
    checkpoint: str,
    domain: str,
    relation: str,
    here: list[ProbedFact],
    confidence: float,
) -> tuple[RelationChange, Estimated]:
    before = [[fact.before.p_greedy for fact in here]]
    after = [[fact.after.p_greedy for fact in here]]
    estimated = difference(after, before, [fact.question.subject for fact in here])
    bounds = estimated.estimate(confidence)
    row = RelationChange(
        model=model,
        checkpoint=checkpoint,
        domain=domain,
        relation=relation,
        n=len(here),
        fell=sum(fact.steps > 0 for fact in here),
        rose=sum(fact.steps < 0 for fact in here),
        before=sum(before[0]) / len(here),
        after=sum(after[0]) / len(here),
        difference=bounds.value,
        low=bounds.low,
        high=bounds.high,
    )
    return row, estimated


def first_answers(requests: Iterable[Request], generations: Iterable[Generation]) -> dict[str, str]:
    """By question, the greedy answer after the first few-shot set that the question is asked with."""
    first: dict[str, Request] = {}
    for request in requests:
        if request.purpose == GREEDY:
            known = first.setdefault(request.question, request)
            if request.exemplar_set < known.exemplar_set:
                first[request.question] = request
    question_of = {request.id: question for question, request in first.items()}
    return {
        question_of[generation.request]: generation.answer.strip()
        for generation in generations
        if generation.request in question_of
    }


def moved(
    model: str,
    checkpoint: str,
    facts: Iterable[ProbedFact],
    base_answers: Mapping[str, str],
    answers: Mapping[str, str],
) -> Iterator[MovedFact]:
    """The facts that changed category, those that moved furthest first, either way."""
    changed = [fact for fact in facts if fact.steps]
    changed.sort(
        key=lambda fact: (
            fact.steps < 0,
            -abs(fact.steps),
            -abs(fact.after.p_greedy - fact.before.p_greedy),
        )
    )
    for fact in changed:
        question, before, after = fact
        yield MovedFact(
            model=model,
            checkpoint=checkpoint,
            domain=question.domain,
            relation=question.relation,
            split=question.split,
            id=question.id,
            subject=question.subject,
            question=question.question,
            answers="; ".join(question.answers),
            direction=FELL if fact.steps > 0 else ROSE,
            before=before.category,
            after=after.category,
            right_before=before.p_greedy,
            right_after=after.p_greedy,
            base_answer=base_answers[question.id],
            answer=answers[question.id],
        )
