"""Labelled claims that models wrote, to test whether a verifier decides them rightly.

The claims and the rules for labelling them are in `resources/verifier`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal, get_args

from pydantic import ValidationError

from plumbline.claims.records import Claim, Verdict
from plumbline.evaluation.statistics import share
from plumbline.storage.files import InputError

FILE = Path(__file__).resolve().parents[2] / "resources" / "verifier" / "claims.tsv"
Label = Literal["true", "false", "partly", "cannot say", "no claim"]
LABELS = get_args(Label)
ALL, HELD_OUT = "All", "held out"  # all claims; those to which no rule was adjusted


class Labelled(Claim):
    """A claim with its labels from two passes, and the final label."""

    part: Literal["tuning", "held_out"]
    drawn: Literal["random", "decided"]
    checkpoint: str
    prompt: str
    first: Label
    second: Label
    label: Label


def read_labelled(path: Path = FILE) -> list[Labelled]:
    """The labelled claims of a table; InputError naming file and line of a malformed one."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    claims = []
    for line, row in enumerate(rows, start=2):
        try:
            text = row.pop("claim")
            claims.append(Labelled(**row, response=row["id"], sentence=0, text=text))
        except (KeyError, TypeError, ValidationError) as error:
            raise InputError(
                f"{path}, line {line}: expected the columns id, part, drawn, checkpoint, topic, "
                f"prompt, claim, first, second and label, with labels of {', '.join(LABELS)}."
            ) from error
    return claims


def shares(verdicts: Sequence[Verdict], claims: Sequence[Labelled]) -> Iterator[dict]:
    """Rows with relation (ALL or HELD_OUT), metric, value, low, high (Wilson's) and n.

    precision: of the supported, those labelled true. refuted_precision: of the refuted, those labelled
    false or partly, since one false part makes a claim false. recall: of those labelled true, the
    supported. coverage: of all, the decided. A share of no claims has no row.
    """
    label = {claim.id: claim.label for claim in claims}
    held_out = {claim.id for claim in claims if claim.part == "held_out"}
    for part in (ALL, HELD_OUT):
        pairs = [
            (verdict.verdict, label[verdict.claim])
            for verdict in verdicts
            if part == ALL or verdict.claim in held_out
        ]
        judged = {
            "precision": [labelled == "true" for said, labelled in pairs if said == "supported"],
            "refuted_precision": [
                labelled in ("false", "partly") for said, labelled in pairs if said == "refuted"
            ],
            "recall": [said == "supported" for said, labelled in pairs if labelled == "true"],
            "coverage": [said != "unverifiable" for said, _ in pairs],
        }
        for metric, right in judged.items():
            if right:
                yield {
                    "relation": part,
                    "metric": metric,
                    **asdict(share(sum(right), len(right))),
                }


def agreement(claims: Sequence[Labelled]) -> tuple[float, float]:
    """Share of claims with the same label in both passes, and Cohen's kappa (Cohen 1960)."""
    n = len(claims)
    alike = sum(claim.first == claim.second for claim in claims) / n
    first, second = (
        Counter(getattr(claim, name) for claim in claims) for name in ("first", "second")
    )
    chance = sum(first[name] * second[name] for name in LABELS) / n**2
    return alike, (alike - chance) / (1 - chance)
