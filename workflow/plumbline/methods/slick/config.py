"""SliCK: probing, and mixes of known and new facts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from plumbline.config.base import Limit, Percent, Section, Seed, once
from plumbline.names import FORM, FORM_SET
from plumbline.records import Category

LimitOrNone = Annotated[int, Field(ge=0)] | None


class PerSplit(Section):
    train: Limit = Field(None, description="Questions per relation; null: all.")
    dev: Limit = Field(None, description="Questions per relation; null: all.")
    test: Limit = Field(None, description="Questions per relation; null: all.")


class Slick(Section):
    """Probing what the base knows (Gekhman et al. 2024, section 3)."""

    exemplar_sets: int = Field(
        10,
        ge=2,
        description="N_ex, few-shot sets per relation (paper: 10). At least 2, so that a question that "
        "one set shows can be asked with another.",
    )
    shots: int = Field(4, ge=1, description="Exemplars in a set (paper: 4).")
    samples: int = Field(16, ge=1, description="N_sample, answers drawn per set (paper: 16).")
    temperature: float = Field(0.5, gt=0, description="Temperature of drawn answers (paper: 0.5).")
    top_k: int = Field(40, ge=0, description="Top k of drawn answers (paper: 40); 0: no limit.")
    max_tokens: int = Field(32, ge=1, description="Longest answer in tokens; it ends at a newline.")
    mode: Literal["full", "categories"] = Field(
        "full",
        description="full: draws every sample and keeps P values; categories: finds the same "
        "categories from as few samples as possible.",
    )
    match: Literal["squad", "raw"] = Field(
        "squad", description="Exact match, after SQuAD's normalisation or of the raw strings."
    )
    limit: PerSplit = Field(PerSplit(), description="Part of the questions that is probed.")
    seed: Seed = Field(
        1, description="Seed of the exemplar sets and of which questions are probed."
    )
    p_true: bool = Field(
        False, description="Compare SliCK with P(True), another probe of what the base knows."
    )


class Monitor(Section):
    """How many questions are asked after every epoch, in all; null: all of them."""

    train: Limit = Field(None, description="Training questions asked for the fit curves.")
    dev: Limit = Field(None, description="Development questions; they choose early_stop.")
    test_id: LimitOrNone = Field(
        None,
        description="Test questions of the tuning domain; 0: none, and no linear model for it.",
    )
    test_ood: LimitOrNone = Field(
        None,
        description="Test questions of other relations; 0: none, and no linear model for them.",
    )


class Demands(Section):
    """What the sets of a run need from each relation; their common size follows from it."""

    most_unknown: Percent = Field(0, description="Largest per cent of Unknown in a set.")
    least_unknown: Percent = Field(100, description="Smallest per cent; the rest is Known.")
    categories: list[Category] = Field([], description="Categories with a set of their own.")
    form_facts: int = Field(0, ge=0, description="Highly Known facts kept out of all sets.")


class Mixes(Section):
    """Fine-tuning sets of new and known facts (Gekhman et al. 2024, section 4)."""

    unknown_percent: list[Percent] = Field(
        [0, 25, 50, 75, 100], description="Values of X: the per cent of Unknown facts in D_X."
    )
    known_only: list[Percent] = Field(
        [], description="D_Known(X): D_X without its Unknown examples, for these X."
    )
    single_category: list[Category] = Field(
        [], description="For each of these categories, a set of its facts only."
    )
    natural: bool = Field(
        False, description="A set with the categories in their natural proportions."
    )
    idk: list[Percent] = Field(
        [], description='D_X with every Unknown answer replaced by "I don\'t know", for these X.'
    )
    on_empty: Literal["error", "drop_relation"] = Field(
        "error",
        description="What to do if a relation has too few training questions of a category to put one "
        "into each set: stop, or leave the relation out and count it.",
    )
    prompt: Literal["plain", "chat"] = Field(
        "plain", description="plain: the paper's text; chat: in the model's chat template."
    )
    parent: str = Field(
        "base",
        description="The checkpoint that every mix is trained from. mix.form: the base tuned on "
        "form_facts, so that the mixes learn facts and not how to answer.",
    )
    form_facts: int = Field(
        32,
        ge=1,
        description="Number of HighlyKnown facts that mix.form is tuned on, drawn with each seed; no "
        "mix contains them.",
    )
    recipe: str = Field("sft", description="The one of recipes that trains the mixes.")
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

    def demands(self) -> Demands:
        """What the sets need from each relation. Sets in between need no more."""
        grid = [*self.unknown_percent, *self.idk]
        return Demands(
            most_unknown=max(grid, default=0),
            least_unknown=min([*grid, *self.known_only], default=100),
            categories=sorted(self.single_category),
            form_facts=self.form_facts if self.parent == FORM else 0,
        )

    def trained(self) -> list[str]:
        """All sets that are trained on: that of the form, if it is a parent, and the mixes."""
        names = self.names()
        return [FORM_SET, *names] if names and self.parent == FORM else names

    def names(self) -> list[str]:
        """Names of the mixes, in the order of the report."""
        return [
            *(f"unknown-{percent:g}" for percent in self.unknown_percent),
            *(f"known-{percent:g}" for percent in self.known_only),
            *(f"only-{category.value}" for category in self.single_category),
            *(["natural"] if self.natural else []),
            *(f"idk-{percent:g}" for percent in self.idk),
        ]
