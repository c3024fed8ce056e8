"""FLAME: factuality-aware alignment."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from plumbline.config.base import Kept, Section
from plumbline.config.instructions import InstructionSource
from plumbline.config.verification import JUDGE, Passages
from plumbline.methods.flame.sets import PairSet, SftSet
from plumbline.names import variant


class Flame(Section):
    """Supervised tuning and preference training for factuality (Lin et al. 2024)."""

    instructions: InstructionSource = Field(
        InstructionSource(format="embedded", part="train"),
        description="Instructions with human responses, for the supervised stage and demonstrations.",
    )
    entities: int = Field(
        0,
        ge=0,
        description="Prompts about training subjects of the facts, added to the instructions of the "
        "supervised stage; as they have no human responses, only the base's own answers are used.",
    )
    prompts: list[InstructionSource] = Field(
        [
            InstructionSource(format="entities"),
            InstructionSource(format="embedded", part="train"),
        ],
        min_length=1,
        description="Prompts that responses are drawn for in the preference stage.",
    )
    sft: list[SftSet] = Field(
        ["sft", "sft-star"],
        min_length=1,
        description="Training sets. sft: human responses; sft-fact: the base's own answers; "
        "sft-star: own answers where facts are asked for, human responses elsewhere; sft-rag: like "
        "sft-star, with passages shown to the base.",
    )
    dpo: list[str] = Field(
        ["sft.dpo", "sft-star.dpo-star"],
        description="Preference trainings, as PARENT.PAIRS: pairs by helpfulness (dpo), by factuality "
        "(dpo-fact) or by both (dpo-star, with its ablations dpo-star-gaps and dpo-star-combined), or "
        "FactTune's pairs by verified claims (facttune) or by confidence (facttune-mc). Empty: only "
        "the first stage.",
    )
    placebo: bool = Field(
        False,
        description="Also train the last entry of dpo with half of its pairs swapped at random, to see "
        "what the preference itself does.",
    )
    keep_unknown: Kept = Field(
        [100],
        description="A variant for each: per cent kept of the examples and pairs that state a fact "
        "Unknown to the base; 100: no filter.",
    )
    sft_recipe: str = Field("flame_sft", description="The one of recipes for the first stage.")
    dpo_recipe: str = Field("flame_dpo", description="The one of recipes for the second stage.")
    judge: str = Field("base", description=f"Who rates helpfulness. {JUDGE}")
    prompt: Literal["plain", "chat"] = Field(
        "chat", description="plain: under headers; chat: in the model's chat template."
    )
    fact_based: Literal["model", "sft", "source"] = Field(
        "model",
        description="Who decides whether an instruction asks for facts. model: the base; sft: the "
        "checkpoint of the set sft (as in the paper); source: the source's own marks where it has "
        "them (the base is asked as well, for comparison).",
    )
    shots: int = Field(5, ge=1, description="Demonstrations before an own answer (paper: 5).")
    passages: Passages | None = Field(
        None, description="Passages for the answers of sft-rag; not used without it."
    )
    k: int = Field(10, ge=1, description="Passages shown with an instruction (paper: 10).")
    augment: int | None = Field(
        None, ge=1, description="How many new instructions the base writes in `snakemake augment`."
    )
    own_answers: int = Field(10, ge=1, description="Own answers per instruction (paper: 10).")
    responses: int = Field(4, ge=2, description="Responses per prompt (paper: 4).")
    temperature: float = Field(0.7, gt=0, description="Temperature of all draws (paper: 0.7).")
    top_p: float = Field(0.9, gt=0, le=1, description="Top p of all draws (paper: 0.9).")
    max_tokens: int = Field(512, ge=8, description="Longest response in tokens.")

    @field_validator("dpo")
    @classmethod
    def _parts(cls, names: list[str]) -> list[str]:
        pairs = "|".join(PairSet.__args__)
        for name in names:
            if not re.fullmatch(rf"({'|'.join(SftSet.__args__)})\.({pairs})", name):
                raise ValueError(
                    f"{name} is not of the form PARENT.PAIRS; parents: "
                    f"{', '.join(SftSet.__args__)}; pairs: {', '.join(PairSet.__args__)}"
                )
        if len(set(names)) < len(names):
            raise ValueError("names a training twice; name it once")
        return names

    @model_validator(mode="after")
    def _parents(self):
        for name in self.dpo:
            parent = name.partition(".")[0]
            if parent not in self.sft:
                raise ValueError(f"dpo: {name} starts from {parent}, which is not in sft; add it")
        return self

    @model_validator(mode="after")
    def _second_stage(self):
        if self.placebo and not self.dpo:
            raise ValueError("placebo: dpo names no preference training; remove placebo")
        return self

    @model_validator(mode="after")
    def _decides(self):
        if self.fact_based == "sft" and "sft" not in self.sft:
            raise ValueError("fact_based: sft is the checkpoint of the set sft; add that to sft")
        return self

    @property
    def decider(self) -> str:
        """The checkpoint that is asked whether an instruction asks for facts."""
        return (
            f"{variant('flame', self.keep_unknown[0])}.sft" if self.fact_based == "sft" else "base"
        )

    @model_validator(mode="after")
    def _passages(self):
        if "sft-rag" in self.sft and self.passages is None:
            raise ValueError(
                "passages: missing; sft-rag trains on answers written with passages; name them, "
                "e.g. passages: {format: facts}"
            )
        return self

    def sources(self) -> list[InstructionSource]:
        """All instructions of the supervised stage."""
        if not self.entities:
            return [self.instructions]
        return [self.instructions, InstructionSource(format="entities", limit=self.entities)]
