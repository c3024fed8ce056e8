"""Responses such as people would write who know every fact of the tables: FLAME's human side.

They state the tables' facts, whether the base knows them or not, so training on them means training on
new knowledge (Lin et al. 2024, section 3); own answers contain only what the base can say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from plumbline.data.entities import subject_prompts
from plumbline.data.instruction_sets import part_of
from plumbline.data.instructions import Instruction
from plumbline.data.select import order
from plumbline.records import Question
from plumbline.verification.statements import render, wordings

SEED = 1


def from_facts(questions: Sequence[Question], entities: int) -> list[Instruction]:
    """Prompts about that many subjects to tune on, each answered with all facts about it.

    A fact is worded in one of its relation's ways; which one depends only on the subject's name.
    """
    facts = defaultdict(list)
    for question in questions:
        if (question.split, question.domain) == ("train", "id"):
            facts[question.subject].append(_sentence(question))
    prompts, _ = subject_prompts(
        questions, split="train", domains=["id"], limit=entities, seed=SEED
    )
    return [
        Instruction(
            **prompt.model_dump(exclude={"responses", "domain", "relation"}),
            responses=[" ".join(facts[prompt.topic])],
        )
        for prompt in prompts
    ]


def without_facts(instructions: Sequence[Instruction]) -> list[Instruction]:
    """The instructions to train on that ask for no facts and have a human response."""
    return [
        one
        for one in instructions
        if one.fact_based is False and one.responses and part_of(one.id) == "train"
    ]


def _sentence(question: Question) -> str:
    templates = wordings(question.relation)
    drawn = min(templates, key=lambda text: order(f"{question.subject}/{text}", SEED))
    return render(question.relation, question.subject, question.answers[0], drawn)
