"""Training data, with what it consists of and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plumbline.records import Example, Pair
from plumbline.storage.files import InputError, read_json, write_json

Row = TypeVar("Row", bound=Example | Pair)


class Composition(BaseModel):
    """A composition.json, which is beside every training file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    rows: int = Field(ge=0, description="Of the training file.")
    parts: dict[str, int] = Field(
        description="Different rows by what they are of, which depends on the method."
    )
    counted: dict[str, Any] = Field(description="What else the method counts.")
    dropped: list[dict] = Field(description="What was left out: stage, item, reason, n.")

    @classmethod
    def read(cls, path: Path) -> Composition:
        """Read a file. InputError if it does not have this form."""
        try:
            return cls.model_validate(read_json(path))
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(
                f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}. Expected what was "
                f"counted of a training file; build that file again."
            ) from error

    def write(self, path: Path) -> None:
        write_json(path, self.model_dump(mode="json"))


@dataclass(frozen=True)
class TrainingSet(Generic[Row]):
    """Rows in the order of the training file, and counts from building it.

    dropped: what was left out, as rows stage, item, reason, n. counted: other counts that the method
    reports.
    """

    name: str
    rows: Sequence[Row]
    dropped: Sequence[dict] = ()
    counted: dict[str, Any] = field(default_factory=dict)

    def only(self, rows: Sequence[Row], lost: Iterable[dict], **counted: Any) -> TrainingSet[Row]:
        """The set of these of its rows; lost: why the others were left out, in rows like `dropped`."""
        return replace(
            self,
            rows=rows,
            dropped=[*self.dropped, *lost],
            counted=self.counted | counted,
        )

    def parts(self, key: str, names: Iterable[str] = ()) -> dict[str, int]:
        """The number of rows for each value of the field `key`; names: values listed even if
        there are none.
        """
        counts = Counter(getattr(row, key) for row in self.rows)
        return {**dict.fromkeys(names, 0), **counts}

    def composition(self, parts: dict[str, int], **counted: Any) -> Composition:
        return Composition(
            name=self.name,
            rows=len(self.rows),
            parts=parts,
            counted=self.counted | counted,
            dropped=list(self.dropped),
        )


def dropped_rows(item: str, reasons: Counter, stage: str) -> list[dict]:
    """Rows for the table of everything left out."""
    return [
        {"stage": stage, "item": item, "reason": reason, "n": n}
        for reason, n in sorted(reasons.items())
        if n
    ]
