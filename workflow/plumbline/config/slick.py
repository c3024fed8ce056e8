"""SliCK: probing, and mixes of known and new facts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from plumbline.config.base import Limit, Percent, Section, Seed, once
from plumbline.records import Category


class PerSplit(Section):
    train: Limit = Field(None, description="Questions a relation; null: all.")
    dev: Limit = Field(None, description="Questions a relation; null: all.")
    test: Limit = Field(None, description="Questions a relation; null: all.")


class Slick(Section):
    """Probing what the base knows (Gekhman et al. 2024, section 3)."""

    exemplar_sets: int = Field(
        10,
        ge=2,
        description="N_ex, few-shot sets a relation (paper: 10). At least 2: what one "
        "set shows is asked with another.",
    )
    shots: int = Field(4, ge=1, description="Exemplars in a set (paper: 4).")
    samples: int = Field(16, ge=1, description="N_sample, answers drawn a set (paper: 16).")
    temperature: float = Field(0.5, gt=0, description="Of the drawn answers (paper: 0.5).")
    top_k: int = Field(40, ge=0, description="Of the drawn answers (paper: 40); 0: no limit.")
    max_tokens: int = Field(32, ge=1, description="Longest answer in tokens; it ends at a newline.")
    mode: Literal["full", "categories"] = Field(
        "full",
        description="full: every sample, P values kept; categories: the same categories "
        "from the least sampling.",
    )
    match: Literal["squad", "raw"] = Field(
        "squad", description="Exact match after SQuAD normalisation, or of the bare string."
    )
    limit: PerSplit = Field(PerSplit(), description="Part of the questions that is probed.")
    seed: Seed = Field(1, description="Seed of the exemplar sets and of the part probed.")


class Monitor(Section):
    """What is asked after every epoch; each number is questions in all, null: all of them."""

    train: Limit = Field(None, description="Training questions asked for the fit curves.")
    dev: Limit = Field(None, description="Development questions; they choose early_stop.")
    test_id: Limit = Field(None, description="Test questions of the tuning domain.")
    test_ood: Limit = Field(None, description="Test questions of other relations.")


class Mixes(Section):
    """Fine-tuning sets of new and known facts (Gekhman et al. 2024, section 4)."""

    unknown_percent: list[Percent] = Field(
        [0, 25, 50, 75, 100], description="The grid of X: per cent Unknown in D_X."
    )
    known_only: list[Percent] = Field(
        [], description="D_Known(X): D_X without its Unknown examples, for these X."
    )
    single_category: list[Category] = Field([], description="One set of only this category each.")
    natural: bool = Field(False, description="A set with the natural category mix.")
    idk: list[Percent] = Field(
        [], description='D_X with every Unknown answer replaced by "I don\'t know", for these X.'
    )
    on_empty: Literal["error", "drop_relation"] = Field(
        "error",
        description="A relation in which a category has no training question: stop, or "
        "leave the relation out and count it.",
    )
    prompt: Literal["plain", "chat"] = Field(
        "plain", description="plain: the paper's text; chat: in the model's chat template."
    )
    parent: str = Field("base", description="The checkpoint that every mix is trained from.")
    recipe: str = Field("sft", description="Which of recipes trains the mixes.")
    overrides: dict[str, dict] = Field(
        {}, description="Recipe keys that differ for one mix, e.g. unknown-50: {epochs: 20}."
    )
    monitor: Monitor = Field(Monitor(), description="The evaluation after every epoch.")

    @field_validator("unknown_percent", "known_only", "idk", "single_category")
    @classmethod
    def _once(cls, values: list) -> list:
        return once(values)

    @field_validator("known_only")
    @classmethod
    def _something_left(cls, values: list) -> list:
        if 100 in values:
            raise ValueError("100 leaves no example, since all of D_100 is Unknown; remove it")
        return values

    def names(self) -> list[str]:
        """Names of the mixes, in the order of the report."""
        return [
            *(f"unknown-{percent:g}" for percent in self.unknown_percent),
            *(f"known-{percent:g}" for percent in self.known_only),
            *(f"only-{category.value}" for category in self.single_category),
            *(["natural"] if self.natural else []),
            *(f"idk-{percent:g}" for percent in self.idk),
        ]
