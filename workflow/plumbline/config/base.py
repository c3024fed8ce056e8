"""What all sections of the configuration are made of."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from plumbline.sources import Source

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*$")]
Percent = Annotated[float, Field(ge=0, le=100)]
Limit = Annotated[int, Field(ge=1)] | None
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Dtype = Literal["bfloat16", "float16", "float32"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True)


class SourceLine(Section):
    """A line that says where something comes from, with its checksum where one is needed."""

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
        description="Source line of the file or folder, e.g. file:my.jsonl, where the format needs "
        "one.",
    )
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Checksum of source, for https: and pypi:."
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
