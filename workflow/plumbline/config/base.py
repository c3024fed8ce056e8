"""Types and base classes that all sections of the configuration share."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from plumbline.sources.source import Source

# Short enough that a file name can contain two of them.
Name = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*$", max_length=100)
]
Percent = Annotated[float, Field(ge=0, le=100)]
Limit = Annotated[int, Field(ge=1)] | None
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Dtype = Literal["bfloat16", "float16", "float32"]


def once(values: list) -> list:
    """The list itself; ValueError when a value is named twice."""
    # They are compared as they appear in names, where 33.3333333 and 33.3333334 look the same.
    written = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    twice = sorted({value for value in written if written.count(value) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is named twice; name it once")
    return values


# For each variant of a method, the per cent of Unknown that it keeps; 100 means no filter.
Kept = Annotated[list[Percent], Field(min_length=1), AfterValidator(once)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, given: object) -> object:
        """YAML reads yes, on and true as true, which would pass for 1; turned into text, they fail."""
        if not isinstance(given, dict):
            return given
        kept = dict(given)
        for name, value in given.items():
            if isinstance(value, bool | list) and name in cls.model_fields:
                kinds = _kinds(cls.model_fields[name].annotation)
                if bool not in kinds and kinds & {int, float}:
                    kept[name] = _as_text(value)
        return kept


def _as_text(value: object) -> object:
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else value


def _kinds(annotation: object) -> set:
    """The types that occur in an annotation."""
    parts = get_args(annotation)
    return set().union(*map(_kinds, parts)) if parts else {annotation}


class SourceLine(Section):
    """A line that says where something comes from, with a checksum if one is needed."""

    source: str = Field(
        description="hub:OWNER/NAME@REVISION, file:PATH, https://… or pypi:NAME==VERSION/path."
    )
    sha256: str | None = Field(
        None,
        description="Checksum of the file; needed for https: and pypi:.",
        pattern=r"^[0-9a-f]{64}$",
    )

    @model_validator(mode="after")
    def _parses(self):
        Source.parse(self.source, self.sha256)
        return self


class FormattedSource(Section):
    """Data in one of several formats, most of which need a file.

    A subclass adds the field `format` and names in NO_FILE the formats that need none.
    """

    NO_FILE: ClassVar[tuple[str, ...]]

    source: str | None = Field(
        None,
        description="Source line of the file or folder, e.g. file:my.jsonl, if the format needs one.",
    )
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Checksum of source; for https: and pypi:."
    )

    @model_validator(mode="after")
    def _file(self):
        needless = self.format in self.NO_FILE
        if needless and self.source is not None:
            raise ValueError(f"source: not used with format: {self.format}; remove it")
        if not needless and self.source is None:
            raise ValueError(
                f"source: missing; format: {self.format} needs one, e.g. file:my.jsonl"
            )
        if self.source is not None:
            Source.parse(self.source, self.sha256)
        return self
