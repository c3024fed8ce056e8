"""APEFT: atomic preferences beside general ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from plumbline.config.base import Kept, Limit, Percent, Section, once
from plumbline.config.instructions import InstructionSource
from plumbline.config.trainers import PAIRED_LOSSES, reading, training_on

# A trainer on pairs that offers no choice of losses counts as a loss itself.
WHOLE = [name for name in training_on("pairs") if name not in reading("loss")]
PreferenceLoss = Literal[*PAIRED_LOSSES, *WHOLE]


class Apeft(Section):
    """Pairs about single facts beside pairs of whole responses (Yuan et al. 2024).

    We know neither the paper's full text nor its code or data: whatever is not marked as the paper's
    is ours.
    """

    parent: str = Field(
        "base", description="The checkpoint that writes the responses and is trained."
    )
    prompts: list[InstructionSource] = Field(
        [InstructionSource(format="entities")],
        min_length=1,
        description="Prompts that responses are drawn for; entities: about training subjects of the "
        "facts.",
    )
    prompt: Literal["plain", "chat"] = Field(
        "chat", description="plain: under headers; chat: in the model's chat template."
    )
    responses: int = Field(10, ge=2, description="Responses per prompt (FactTune: 10).")
    temperature: float = Field(
        1.0,
        gt=0,
        description="Temperature of responses and of answers to questions (FactTune: 1.0).",
    )
    max_tokens: int = Field(512, ge=8, description="Longest response in tokens.")
    general_per_entity: Limit = Field(
        None, description="General pairs per prompt, drawn with the seed; null: all."
    )
    atomic_per_entity: Limit = Field(
        None, description="Questions about single facts per entity; null: all."
    )
    questions: Literal["table", "model"] | None = Field(
        None,
        description="What turns a claim into a question. table: the fact that the verifier read it as; "
        "model: the parent, by few-shot prompting; null: table with verification.kind: table, "
        "otherwise model.",
    )
    samples: int = Field(20, ge=2, description="S, answers drawn for each question.")
    atomic_percent: Annotated[list[Percent], Field(min_length=1), AfterValidator(once)] = Field(
        [0, 50],
        description="A training file for each: per cent of atomic pairs; 0: only general ones.",
    )
    pairs: Limit = Field(
        None, description="Pairs in each training file; null: as many as all shares can have."
    )
    max_length_gap: int = Field(
        4, ge=0, description="By how many words the two statements of a pair may differ in length."
    )
    placebo: bool = Field(
        False,
        description="Also train on the highest share with half of its pairs swapped at random, under "
        "every loss, to see what the preference itself does.",
    )
    keep_unknown: Kept = Field(
        [100],
        description="A variant for each: per cent kept of the pairs that state a fact Unknown to the "
        "base; 100: no filter.",
    )
    recipe: str = Field("apeft", description="The one of recipes to use; its method must be dpo.")
    losses: Annotated[list[PreferenceLoss], Field(min_length=1), AfterValidator(once)] = Field(
        ["sigmoid"],
        description="Each training file is trained on with each of these: TRL's name of a loss on "
        "pairs, or kto for the pairs split into single answers.",
    )
    overrides: dict[str, dict] = Field(
        {}, description="Recipe keys that differ for one loss, e.g. robust: {label_smoothing: 0.1}."
    )

    @model_validator(mode="after")
    def _overridden(self):
        for name in self.overrides:
            if name not in self.losses:
                raise ValueError(
                    f"overrides.{name}: {name} is not among losses ({', '.join(self.losses)})"
                )
        return self
