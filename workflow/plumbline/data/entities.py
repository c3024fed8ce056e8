"""Prompts about the subjects of the facts, for long answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from plumbline.config.errors import nearest
from plumbline.data.instructions import (
    PERSON_TEMPLATES,
    PLACE_TEMPLATES,
    THING_TEMPLATES,
    Instruction,
    entity_prompts,
)
from plumbline.data.select import order
from plumbline.records import Domain, Question, Split
from plumbline.storage.files import InputError
from plumbline.texts.text import fold

# Included relations whose subjects are persons; those of others are things.
PERSONS = ("person_country", "person_profession")
PLACES = (
    "airport_city",
    "city_country",
    "country_capital",
    "country_continent",
    "country_currency",
    "country_language",
    "us_city_state",
    "us_state_capital",
)


def templates_for(relation: str) -> tuple[str, ...]:
    """The wordings of a prompt about one of the relation's subjects; [X] is replaced."""
    if relation in PERSONS:
        return PERSON_TEMPLATES
    return PLACE_TEMPLATES if relation in PLACES else THING_TEMPLATES


def subject_prompts(
    questions: Sequence[Question],
    *,
    split: Split,
    domains: Collection[Domain],
    limit: int | None,
    seed: int,
    relations: Collection[str] = (),
    key: str = "instructions",
) -> tuple[list[Instruction], Counter]:
    """One prompt about each subject of the split's questions, with `domain` and `relation`.

    relations: only subjects of these; empty: of all. key: in the configuration, for messages.

    At most `limit` per domain; which ones depends only on names and seed. A subject of any in-domain
    question, whatever its split, is not in the domain `ood`. Of a subject's relations, the first by
    name counts. Returns the prompts by domain and relation, and what was left out, by (domain, reason).
    InputError if there is no subject at all, and for a relation that has no fact or is of another
    domain.
    """
    known = {question.relation: question.domain for question in questions}
    for name in relations:
        if name not in known:
            raise InputError(
                f"{key}: relations: {name} is not a relation of the facts."
                f"{nearest(name, sorted(known))} Relations: {', '.join(sorted(known))}."
            )
        if known[name] not in domains:
            fitting = sorted(relation for relation, domain in known.items() if domain in domains)
            raise InputError(
                f"{key}: relations: {name} is only evaluated (out of domain), so nothing is tuned "
                f"on it. Relations to tune on: {', '.join(fitting)}."
            )
    tuned = {fold(question.subject) for question in questions if question.domain == "id"}
    prompts: list[Instruction] = []
    left_out: Counter = Counter()
    for domain in sorted(domains):
        relation_of: dict[str, str] = {}
        for question in sorted(
            questions, key=lambda question: (question.relation, question.subject)
        ):
            wanted = not relations or question.relation in relations
            if wanted and question.split == split and question.domain == domain:
                relation_of.setdefault(question.subject, question.relation)
        if domain == "ood":
            outside = {name: r for name, r in relation_of.items() if fold(name) not in tuned}
            left_out[domain, "also_in_domain"] += len(relation_of) - len(outside)
            relation_of = outside
        drawn = set(sorted(relation_of, key=lambda name: order(f"entity/{name}", seed))[:limit])
        left_out[domain, "over_limit"] += len(relation_of) - len(drawn)
        for name in (name for name in relation_of if name in drawn):
            (prompt,) = entity_prompts([name], templates_for(relation_of[name]), seed)
            place = {"domain": domain, "relation": relation_of[name]}
            prompts.append(Instruction(**prompt.model_dump(), **place))
    if not prompts:
        raise InputError(
            f"instructions of format entities: no fact has a {split} question of the domain "
            f"{' or '.join(sorted(domains))}; name another source of prompts."
        )
    return prompts, left_out
