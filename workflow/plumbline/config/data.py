"""Base models and facts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from plumbline.config.base import Dtype, Name, Section, Seed, SourceLine
from plumbline.sources.source import Source


class Model(SourceLine):
    """A base model to start from."""

    name: Name = Field(description="The model's name in folders and tables.")
    dtype: Dtype = Field("bfloat16", description="Precision the imported weights are stored in.")
    trust_remote_code: bool = Field(
        False, description="Run code that the model brings. Set it only if you trust the code."
    )
    chat_template_kwargs: dict[str, bool | int | float | str] = Field(
        {},
        description="Arguments for the model's chat template wherever it is used, e.g. "
        "{enable_thinking: false}.",
    )


class Relations(Section):
    id: list[Name] = Field(min_length=1, description="Relations of the tuning domain.")
    ood: list[Name] = Field([], description="Relations that are only evaluated.")

    @model_validator(mode="after")
    def _apart(self):
        both = sorted(set(self.id) & set(self.ood))
        if both:
            raise ValueError(f"{', '.join(both)} is in both id and ood; keep it in one of them")
        for key in ("id", "ood"):
            names = getattr(self, key)
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{', '.join(twice)} is named twice in {key}; name it once")
        return self


class Shares(Section):
    train: float = Field(0.6, gt=0, lt=1, description="Share of subjects for training.")
    dev: float = Field(0.1, gt=0, lt=1, description="Share for exemplars and early stopping.")
    test: float = Field(0.3, gt=0, lt=1, description="Share held out for testing.")

    @model_validator(mode="after")
    def _whole(self):
        total = self.train + self.dev + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, dev and test must add up to 1; they add up to {total:g}")
        return self


class FactSettings(Section):
    """Where the questions come from."""

    source: Literal["embedded", "entityquestions", "rows"] = Field(
        "embedded",
        description="embedded: the fact tables included in plumbline; entityquestions: a folder of "
        "<split>/P*.<split>.json files; rows: your own questions, as JSON Lines, JSON, CSV or "
        "parquet.",
    )
    path: str | None = Field(
        None, description="Source line of the folder or file (not for embedded), e.g. file:facts."
    )
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Checksum of path; for https: and pypi:."
    )
    relations: Relations | None = Field(
        None,
        description="Relations to use; null: the source's default (for rows: by their domain).",
    )
    split: Shares = Field(
        Shares(), description="Shares of subjects (embedded, and rows that name no split)."
    )
    strict_dev: bool = Field(
        False,
        description="Also drop dev questions whose subject is a test subject "
        "(entityquestions; the paper does not).",
    )
    merge_duplicates: bool = Field(
        False,
        description="A question that occurs again with other answers accepts all of them "
        "(entityquestions: the paper keeps both questions; rows: when false, such questions are "
        "merged if they have an answer in common and otherwise dropped as ambiguous).",
    )
    seed: Seed = Field(1, description="Seed of the split by subject.")

    @model_validator(mode="after")
    def _path(self):
        if self.source == "embedded" and self.path is not None:
            raise ValueError(
                "facts.path: not used with source: embedded; remove it or change facts.source"
            )
        if self.source != "embedded" and self.path is None:
            raise ValueError(
                f"facts.path: missing; source: {self.source} needs one, e.g. file:my-facts"
            )
        if self.source == "rows" and self.relations is not None:
            raise ValueError(
                "facts.relations: not used with source: rows, whose rows name theirs; remove it"
            )
        if self.strict_dev and self.source != "entityquestions":
            raise ValueError("facts.strict_dev: only for source: entityquestions; remove it")
        if self.merge_duplicates and self.source == "embedded":
            raise ValueError("facts.merge_duplicates: not for source: embedded; remove it")
        if self.path is None and self.sha256 is not None:
            raise ValueError("facts.sha256: there is no facts.path for it to check; remove it")
        if self.path is not None:
            Source.parse(self.path, self.sha256)
        return self
