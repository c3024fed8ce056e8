"""Choice questions made from facts: groups of questions that share their choices.

A group has questions of one relation with different answers, and its choices are these answers. Each
choice is right exactly once, so whoever goes by the choices alone (the relation's commonest answer,
the longest, the first) is right only by chance, however often an answer occurs among the facts. Ours.
"""

from __future__ import annotations

import random
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from plumbline.config.choices import FACT_CHOICES, ChoiceSource
from plumbline.data.select import order
from plumbline.records import ChoiceQuestion, Question
from plumbline.texts.text import fold, normalise, question_key
from plumbline.verification.known_facts import excludes


def from_facts(
    questions: Iterable[Question], source: ChoiceSource, tally: Counter
) -> list[ChoiceQuestion]:
    """The test questions in groups of `FACT_CHOICES`, in the order of `questions`.

    At most `source.limit` per relation, in whole groups; a larger limit contains a smaller one. An
    answer is not used as a false choice if any fact has it, in whatever spelling, as an answer to
    the question or about the subject, or if it may be true beside the listed ones
    (`known_facts.excludes`). In a relation with fewer different answers, groups are smaller. The
    tally counts, by relation: duplicate, in_no_group, over_limit.
    """
    questions = list(questions)
    accepted: dict[tuple[str, str], set[str]] = defaultdict(set)
    uses: dict[str, Counter] = defaultdict(Counter)
    first: dict[tuple[str, str], Question] = {}
    for question in sorted(questions, key=lambda question: question.id):
        uses[question.relation][answer_key(question.answers[0])] += 1
        for told_by in _told_by(question):
            accepted[question.relation, told_by].update(question.answers)
        if question.split == "test":
            asked = question.relation, question_key(question.question)
            tally[question.relation, "duplicate"] += asked in first
            first.setdefault(asked, question)
    by_relation: dict[str, list[_Asked]] = defaultdict(list)
    for question in first.values():
        answers = set().union(*(accepted[question.relation, by] for by in _told_by(question)))
        by_relation[question.relation].append(_Asked(question, answers))
    made = {}
    for relation, asked in by_relation.items():
        groups = _groups(asked, source.seed)
        size = len(groups[0]) if groups else 1
        taken = groups if source.limit is None else groups[: source.limit // size]
        tally[relation, "in_no_group"] += len(asked) - size * len(groups)
        tally[relation, "over_limit"] += size * (len(groups) - len(taken))
        for group in taken:
            made |= {row.id: row for row in _rows(group, uses[relation])}
    return [made[question.id] for question in questions if question.id in made]


def answer_key(answer: str) -> str:
    """A key that is the same for different spellings of an answer: case, accents, articles,
    punctuation.
    """
    return normalise(fold(answer)) or answer.strip()


def _told_by(question: Question) -> tuple[str, str]:
    return question_key(question.question), f"subject {fold(question.subject)}"


@dataclass(frozen=True)
class _Asked:
    """A test question with all answers known to be right; its first answer is its choice."""

    question: Question
    answers: set[str]

    @cached_property
    def keys(self) -> set[str]:
        return set(map(answer_key, self.answers))

    @property
    def choice(self) -> str:
        return self.question.answers[0]

    def excludes(self, choice: str) -> bool:
        return answer_key(choice) not in self.keys and excludes(
            self.question.relation, choice, self.answers
        )


def _groups(asked: list[_Asked], seed: int) -> list[list[_Asked]]:
    """Groups of one size, in an order drawn with the seed; each answer is false for the other
    questions.

    The commonest answers are placed first, so that as few as possible are left over.
    """
    by_answer: dict[str, list[_Asked]] = defaultdict(list)
    for item in sorted(asked, key=lambda item: order(item.question.id, seed)):
        by_answer[answer_key(item.choice)].append(item)
    waiting = list(by_answer.values())
    # The commonest answers first; the seed orders equally common ones.
    ranked = sorted((-len(same), place) for place, same in enumerate(waiting))
    size, groups = min(FACT_CHOICES, len(waiting)), []
    while size > 1 and ranked:
        group, ranks = [], []
        for rank in ranked:
            fitting = (
                candidate
                for candidate in waiting[rank[1]]
                if all(
                    candidate.excludes(member.choice) and member.excludes(candidate.choice)
                    for member in group
                )
            )
            if item := next(fitting, None):
                group.append(item)
                ranks.append(rank)
            if len(group) == size:
                groups.append(group)
                break
        else:  # its first question fits in no group; its others may
            group, ranks = group[:1], ranks[:1]
        for item, rank in zip(group, ranks, strict=True):
            place = rank[1]
            waiting[place].remove(item)
            ranked.remove(rank)
            if waiting[place]:
                insort(ranked, (-len(waiting[place]), place))
    for group in groups:
        random.Random(f"{seed}:{group[0].question.id}").shuffle(group)
    return sorted(groups, key=lambda group: order(group[0].question.id, seed))


def _rows(group: list[_Asked], uses: Counter) -> list[ChoiceQuestion]:
    choices = [item.choice for item in group]
    commonest = max(range(len(group)), key=lambda at: uses[answer_key(choices[at])])
    return [
        ChoiceQuestion(
            id=item.question.id,
            question=item.question.question,
            choices=choices,
            labels=[int(at == best) for at in range(len(choices))],
            best=best,
            subject=item.question.subject,
            domain=item.question.domain,
            commonest=commonest,
        )
        for best, item in enumerate(group)
    ]
