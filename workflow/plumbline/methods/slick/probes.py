"""The questions for mixes' models after every epoch: fit on train, accuracy on dev and test."""

from __future__ import annotations

import random

from plumbline.methods.slick.config import Monitor
from plumbline.records import Annotation, Example, Probe, Question
from plumbline.responses.prompting import closed_book_prompt


def build_probes(
    examples: list[Example],
    questions: list[Question],
    annotations: list[Annotation],
    monitor: Monitor,
    *,
    form: str,
    seed: int,
) -> list[Probe]:
    """Training examples as they are trained on, then dev and test questions in the same form.

    Dev questions are only of the tuning domain: they choose EARLY_STOP. Which dev and test questions
    are asked, as many as `monitor` says, is the same for every mix.
    """
    category = {annotation.id: annotation.category.value for annotation in annotations}
    subject = {question.id: question.subject for question in questions}
    probes = [
        _probe(row.id, row.prompt, row.answers, "train", "id", row.category, subject[row.id])
        for row in _some(examples, monitor.train, seed)
    ]
    limits = {
        ("dev", "id"): monitor.dev,
        ("test", "id"): monitor.test_id,
        ("test", "ood"): monitor.test_ood,
    }
    for (split, domain), limit in limits.items():
        group = [q for q in questions if (q.split, q.domain) == (split, domain)]
        probes += [
            _probe(
                question.id,
                closed_book_prompt(question.question, form),
                question.answers,
                split,
                domain,
                category[question.id],
                question.subject,
            )
            for question in _some(group, limit, seed)
        ]
    return probes


def _some(rows: list, limit: int | None, seed: int) -> list:
    rows = sorted(rows, key=lambda row: row.id)
    random.Random(seed).shuffle(rows)
    return rows[:limit]


def _probe(name, prompt, answers, part, domain, category, subject) -> Probe:
    return Probe(
        id=f"{part}/{name}",
        answers=answers,
        part=part,
        domain=domain,
        category=category,
        subject=subject,
        **{"prompt" if isinstance(prompt, str) else "messages": prompt},
    )
